// Sorts, filters and turns the pages of the workload table. The rows that came as HTML stay until the
// reader asks for others.
(() => {
  "use strict";
  const table = document.getElementById("workload-table");
  const form = document.getElementById("workload-filter");
  const status = document.getElementById("workload-status");
  const pages = document.getElementById("workload-pages");
  const body = table.tBodies[0];

  // Read when first needed: it is most of the file.
  let parsed;
  const data = () => (parsed ??= JSON.parse(document.getElementById("workload-data").textContent));

  const state = { column: "complexity", descending: true, page: 0 };
  const rank = { blocked: 0, unknown: 1, conditional: 2, ready: 3 };
  const number = (value) => value.toLocaleString("en-GB");

  /** What a column is sorted by; undefined sorts last, whichever way. */
  function sortKey(column) {
    const { columns, outcomes, sets } = data();
    const codes = columns[column];
    if (column.startsWith("target:")) return (row) => rank[outcomes[codes[row]]?.[1]];
    if (column === "attachments") {
      return (row) => sets[codes[row]].reduce((sum, [, times]) => sum + times, 0);
    }
    if (["name", "power", "cluster", "os"].includes(column)) {
      const ranks = stringRanks();
      return (row) => (codes[row] < 0 ? undefined : ranks[codes[row]]);
    }
    return (row) => (codes[row] < 0 ? undefined : codes[row]);
  }

  /** The place of each distinct string in reading order: compared once, not at every sort. */
  let ranks;
  function stringRanks() {
    if (!ranks) {
      const { strings } = data();
      const collator = new Intl.Collator("en", { numeric: true });
      const order = strings.map((_, place) => place).sort((a, b) => collator.compare(strings[a], strings[b]));
      ranks = new Int32Array(strings.length);
      order.forEach((place, rank) => { ranks[place] = rank; });
    }
    return ranks;
  }

  /** What the search looks in, by row. */
  let texts;
  function searchTexts() {
    if (!texts) {
      const { rows, columns, strings, facts } = data();
      const searched = ["name", "os", "cluster", "platform", ...facts].map((column) => columns[column]);
      texts = Array.from({ length: rows }, (_, row) =>
        searched.map((codes) => strings[codes[row]] ?? "").join("\n").toLowerCase());
    }
    return texts;
  }

  function sorted(rows) {
    const key = sortKey(state.column);
    const keys = new Map(rows.map((row) => [row, key(row)]));
    const sign = state.descending ? -1 : 1;
    return rows.sort((a, b) => {
      const [x, y] = [keys.get(a), keys.get(b)];
      if (x === undefined || y === undefined) return (x === undefined) - (y === undefined) || a - b;
      return sign * (x - y) || a - b;
    });
  }

  /** A test for each filter that is set. */
  function tests() {
    const { columns, strings, outcomes, targets, checks } = data();
    const wanted = Object.fromEntries(new FormData(form));
    const found = [];
    const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length > 0) {
      const searched = searchTexts();
      found.push((row) => words.every((word) => searched[row].includes(word)));
    }
    for (const column of ["cluster", "power", "kind"]) {
      if (wanted[column] === "?") found.push((row) => columns[column][row] <= -2);
      else if (wanted[column]) found.push((row) => strings[columns[column][row]] === wanted[column]);
    }
    const check = checks.findIndex(([id]) => id === wanted.check);
    if (wanted.verdict || check >= 0) {
      const [view, word] = (wanted.verdict || ":").split(":");
      const place = view === "strict" ? 0 : 1;
      // A check and a verdict hold together, on one target; once for each combination, not each row.
      const holds = outcomes.map((outcome) =>
        (!word || outcome[place] === word) &&
        (check < 0 || [outcome[2], outcome[3], outcome[4]].some((list) => list.includes(check))));
      const among = wanted.target ? [wanted.target] : targets.map(([target]) => target);
      found.push((row) => among.some((target) => holds[columns[`target:${target}`][row]] === true));
    } else if (wanted.target) {
      found.push((row) => columns[`target:${wanted.target}`][row] >= 0);
    }
    return found;
  }

  let current = [];
  function select() {
    const all = tests();
    const rows = Array.from({ length: data().rows }, (_, row) => row);
    current = sorted(rows.filter((row) => all.every((test) => test(row))));
    state.page = 0;
    show();
  }

  function show() {
    const size = data().page;
    const first = state.page * size;
    const rows = current.slice(first, first + size);
    body.replaceChildren(...rows.map((row) => workloadRow(data(), row)));
    const range = rows.length === 0 ? "none" : `${number(first + 1)}–${number(first + rows.length)}`;
    const matching = current.length === data().total ? "" : ` of ${number(current.length)} matching`;
    status.textContent = `Showing ${range}${matching} of ${number(data().total)} workloads.`;
    showPages(size);
  }

  function showPages(size) {
    const last = Math.max(Math.ceil(current.length / size), 1);
    pages.hidden = last === 1;
    document.getElementById("workload-page").textContent = `Page ${number(state.page + 1)} of ${number(last)}`;
    pages.querySelector("[data-page='-1']").disabled = state.page === 0;
    pages.querySelector("[data-page='1']").disabled = state.page + 1 >= last;
  }

  function makeSortable(heading) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const column = heading.dataset.column;
      const numeric = heading.classList.contains("number");
      state.descending = state.column === column ? !state.descending : numeric;
      state.column = column;
      for (const other of table.tHead.querySelectorAll("th")) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", state.descending ? "descending" : "ascending");
      select();
    });
  }

  /** A link elsewhere in the page that asks for certain workloads. */
  function follow(event) {
    const link = event.target.closest("a[href='#workloads']");
    if (!link || Object.keys(link.dataset).length === 0) return;
    for (const control of form.elements) {
      if (!control.name) continue;
      control.value = link.dataset[`filter${control.name[0].toUpperCase()}${control.name.slice(1)}`] ?? "";
    }
    select();
  }

  table.tHead.querySelectorAll("th[data-column]").forEach(makeSortable);
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", select);
  form.addEventListener("reset", () => setTimeout(select));
  pages.addEventListener("click", (event) => {
    const step = Number(event.target.dataset.page ?? 0);
    if (step === 0) return;
    state.page += step;
    show();
    table.scrollIntoView({ block: "start" });
  });
  document.addEventListener("click", follow);

  // A first page needs its way to the second.
  const total = body.rows.length;
  if (total >= 200) {
    pages.hidden = false;
    requestAnimationFrame(() => { current = Array.from({ length: data().rows }, (_, row) => row); showPages(data().page); });
  }
})();
