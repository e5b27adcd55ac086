// One workload as a table row, from the page's data: the twin of the rows that are there as HTML.
// Names go in as text only, never as markup.
const workloadRow = (() => {
  "use strict";

  const SYMBOLS = { ready: "✓", conditional: "!", blocked: "✕", unknown: "?" };
  const KINDS = { "recovery-placeholder": "recovery placeholder", "system-agent": "system agent" };

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes ?? {})) {
      if (value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }
  const hidden = (text) => element("span", { class: "hidden-text" }, text);
  const seen = (text) => element("span", { "aria-hidden": "true" }, text);

  const count = (value) => value.toLocaleString("en-GB");
  const counted = (value, one) => (value === 1 ? `1 ${one}` : `${count(value)} ${one}s`);

  function mib(size) {
    const names = ["MiB", "GiB", "TiB", "PiB"];
    let at = 0;
    let rest = size;
    while (rest >= 1024 && at < names.length - 1) { rest /= 1024; at += 1; }
    return at === 0 ? `${size} MiB` : `${rest.toLocaleString("en-GB", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} ${names[at]}`;
  }

  /** A fact: value, absence or gap. */
  function fact(data, code, show) {
    if (code >= 0) return show(code);
    if (code === -1) return element("span", { class: "absent" }, seen("–"), hidden("none"));
    const why = `not observed: ${data.why[-2 - code]}`;
    return element("span", { class: "gap", title: why }, seen("?"), hidden(why));
  }

  function link(data, check) {
    const [, anchor, title] = data.checks[check];
    return element("a", { href: `#${anchor}` }, title);
  }

  /** Where the page tells what decided a verdict. */
  function evidenceOf(data, [, asSeen, blockers, warnings]) {
    if (asSeen === "ready") return "#limits";
    if (asSeen === "unknown") return "#quality";
    const decided = (asSeen === "blocked" ? blockers : warnings)[0];
    return decided === undefined ? "#checks" : `#${data.checks[decided][1]}`;
  }

  function verdict(data, code) {
    if (code < 0) return [element("span", { class: "absent" }, seen("–"), hidden("not assessed"))];
    const outcome = data.outcomes[code];
    const [strict, asSeen] = outcome;
    const parts = [
      element("a", { class: `badge ${asSeen}`, href: evidenceOf(data, outcome) }, seen(SYMBOLS[asSeen]), ` ${asSeen}`, hidden(" as seen")),
    ];
    if (strict !== asSeen) {
      parts.push(element("span", { class: `strict ${strict}`, title: `strict verdict: ${strict}` },
        seen(SYMBOLS[strict]), hidden(` strict: ${strict}`)));
    }
    return parts;
  }

  const EFFECTS = ["blocks ", "warning on ", "to know on "];

  /** Checks that fired, each with what it means where; then what was not observed. */
  function checks(data, row) {
    const effects = new Map();
    const missing = new Map();
    let assessed = 0;
    for (const [target, label] of data.targets) {
      const outcome = data.outcomes[data.columns[`target:${target}`][row]];
      if (!outcome) continue;
      assessed += 1;
      outcome.slice(2, 5).forEach((list, rank) => list.forEach((check) => {
        if (!effects.has(check)) effects.set(check, [[], [], []]);
        effects.get(check)[rank].push(label);
      }));
      for (const place of outcome[5]) {
        const attribute = data.strings[place];
        missing.set(attribute, [...(missing.get(attribute) ?? []), label]);
      }
    }
    const where = (labels) => (labels.length === assessed ? "all targets" : labels.join(", "));
    const worst = (ranks) => ranks.findIndex((labels) => labels.length > 0);
    const lines = [...effects]
      .sort(([a, x], [b, y]) => worst(x) - worst(y) || a - b)
      .map(([check, ranks]) => {
        const said = ranks.map((labels, rank) => labels.length > 0 && `${EFFECTS[rank]}${where(labels)}`);
        return element("dd", null, link(data, check), `: ${said.filter(Boolean).join("; ")}`);
      });
    for (const attribute of [...missing.keys()].sort()) {
      lines.push(element("dd", null, `not observed: ${attribute}, which matters for ${where(missing.get(attribute))}`));
    }
    return lines.length > 0 ? [element("dt", null, "Checks"), ...lines] : [];
  }

  function evidence(data, row) {
    const of = (column) => data.columns[column][row];
    const text = (place) => data.strings[place];
    const list = element("dl");
    list.append(...checks(data, row));
    const attachments = data.sets[of("attachments")];
    if (attachments.length > 0) list.append(element("dt", null, "Leans on"));
    for (const [kind, times] of attachments) {
      list.append(element("dd", null, `${data.kinds_of_attachment[text(kind)] ?? text(kind)}: ${count(times)}`));
    }
    if (of("complexity") >= 0) {
      list.append(element("dt", null, `Complexity ${of("complexity")} (migration-planner: ${of("planner")})`));
      for (const [term, points] of data.sets[of("terms")]) {
        list.append(element("dd", null, `${text(term)}: ${points}`));
      }
    }
    list.append(element("dt", null, "Place and people"), element("dd", null, `platform: ${text(of("platform"))}`));
    for (const name of data.facts) {
      if (of(name) >= 0) list.append(element("dd", null, `${name}: ${text(of(name))}`));
    }
    for (const [key, value] of data.sets[of("labels")]) {
      list.append(element("dd", null, `${text(key)}: ${text(value)}`));
    }
    list.append(element("dd", null, `identity: ${data.identities[of("identity")]}`));
    return list;
  }

  function evidenceFold(data, row) {
    const distinct = new Set();
    for (const [target] of data.targets) {
      const outcome = data.outcomes[data.columns[`target:${target}`][row]];
      if (outcome) [...outcome[2], ...outcome[3], ...outcome[4]].forEach((check) => distinct.add(check));
    }
    const fold = element("details", null, element("summary", null, counted(distinct.size, "check")));
    // Most are never opened.
    fold.addEventListener("toggle", () => {
      if (fold.open && !fold.querySelector("dl")) fold.append(evidence(data, row));
    });
    return fold;
  }

  return (data, row) => {
    const of = (column) => data.columns[column][row];
    const text = (code) => data.strings[code];
    const cell = (column, show, style) => element("td", { class: style }, fact(data, of(column), show));
    const kind = text(of("kind"));
    const name = element("th", { scope: "row" }, text(of("name")));
    if (kind !== "machine") {
      name.append(" ", element("span", { class: "badge neutral" }, seen("◇"), ` ${KINDS[kind] ?? kind}`));
    }
    const leans = data.sets[of("attachments")].reduce((sum, [, times]) => sum + times, 0);
    return element("tr", null, name,
      cell("complexity", count, "number"),
      ...data.targets.map(([target]) => element("td", null, ...verdict(data, of(`target:${target}`)))),
      element("td", { class: "evidence" }, evidenceFold(data, row)),
      cell("power", text), cell("cluster", text, "wrap"), cell("os", text, "wrap"),
      cell("vcpus", count, "number"), cell("memory_mib", mib, "number"),
      cell("disk_capacity_mib", mib, "number"), cell("storage_used_mib", mib, "number"),
      element("td", { class: "number" }, count(leans)));
  };
})();
