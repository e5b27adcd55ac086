"""Reads the twin of Proxmox VE with clients that others wrote; prints one JSON object.

Arguments: HOST:PORT USER PASSWORD TOKEN_ID TOKEN_SECRET. The certificate is nobody's: it is not verified.
"""

import json
import sys
import warnings

warnings.filterwarnings("ignore")

from proxmoxer import AuthenticationError, ProxmoxAPI, ResourceException  # noqa: E402


def read(api):
    """The guests, with configuration, as a script of an operator would read them."""
    guests = {}
    for node in api.nodes.get():
        name = node["node"]
        for kind in ("qemu", "lxc"):
            for guest in getattr(api.nodes(name), kind).get():
                about = getattr(api.nodes(name), kind)(guest["vmid"])
                config = about.config.get()
                guests[str(guest["vmid"])] = {
                    "name": config.get("name") or config["hostname"],
                    "memory": int(config["memory"]),
                    "status": about.status.current.get()["status"],
                    "snapshots": len(about.snapshot.get()) - 1,
                    "disks": sum(1 for key in config if key.rstrip("0123456789") in ("scsi", "virtio", "sata", "mp"))
                    + (1 if "rootfs" in config else 0),
                }
    return guests


def refusal(action):
    """What a failing call says: status and words."""
    try:
        action()
    except ResourceException as error:
        return [error.status_code, str(error)]
    return None


def exporter(host, user, token, secret):
    """One scrape, as the exporter's own collectors do it."""
    from pve_exporter.collector import CollectorsOptions, collect_pve

    options = CollectorsOptions(*([True] * len(CollectorsOptions._fields)))._replace(qdevice=False)
    config = {"user": user, "token_name": token, "token_value": secret, "verify_ssl": False}
    return collect_pve(config, host, True, True, options).decode()


def main():
    address, user, password, token_id, secret = sys.argv[1:]
    host, port = address.rsplit(":", 1)
    owner, token = token_id.split("!")
    with_ticket = ProxmoxAPI(host, port=int(port), user=user, password=password, verify_ssl=False)
    with_token = ProxmoxAPI(
        host, port=int(port), user=owner, token_name=token, token_value=secret, verify_ssl=False
    )
    guests = read(with_ticket)
    node = with_token.nodes.get()[0]["node"]
    try:
        ProxmoxAPI(host, port=int(port), user=user, password="wrong", verify_ssl=False)
        wrong = None
    except AuthenticationError as error:
        wrong = str(error)
    metrics = exporter(address, owner, token, secret)
    print(
        json.dumps(
            {
                "version": with_token.version.get()["version"],
                "guests": guests,
                "same_with_token": read(with_token) == guests,
                "resources": len(with_token.cluster.resources.get(type="vm")),
                "missing": refusal(lambda: with_token.nodes(node).qemu(999999).config.get()),
                "unknown": refusal(lambda: with_token.nosuch.get()),
                "wrong": wrong,
                "series": sorted({line.split("{")[0] for line in metrics.splitlines() if line and line[0] != "#"}),
                "guest_up": sum(
                    1 for line in metrics.splitlines() if line.startswith("pve_up{id=\"qemu/") or line.startswith("pve_up{id=\"lxc/")
                ),
            }
        )
    )


main()
