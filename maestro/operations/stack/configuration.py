"""Configuration files of nginx and Prometheus, and a certificate, written into the folder of a stack."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from maestro.errors import ServiceError, SettingsError
from maestro.operations.stack.programs import find_programs
from maestro.reports.output import refuse_foreign, write_text

_TEMPLATES = Path(__file__).with_name("templates")
_BY_STACK = "Written by `maestro stack up`"
POLICY = (
    "default-src 'self'; script-src 'self' blob: 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
"""Content security policy of the apps: nothing from another host. Bokeh compiles
templates, which needs eval, and Panel loads modules from blobs that its own scripts make."""


@dataclass(frozen=True, slots=True)
class ReverseProxy:
    """Where nginx listens, and how.

    Attributes
    ----------
    port : int
    address : str
    prefix : str
        Path below which everything lies, ``/maestro`` say; empty for none.
    certificate, key : Path, optional
    old_api : str
        Address of the system of 2020, to which requests to its API are passed; without it they get an error that names
        the new API.
    docs : Path, optional
        Folder of the built documentation, served below ``/handbook/``.
    origins : tuple of str
        ``HOST:PORT`` under which browsers reach the proxy, besides `address`.
    """

    port: int
    address: str = "127.0.0.1"
    prefix: str = ""
    certificate: Path | None = None
    key: Path | None = None
    old_api: str = ""
    docs: Path | None = None
    origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what would not be a valid line of the configuration."""
        if self.prefix and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", self.prefix):
            raise SettingsError(
                f"--prefix is {self.prefix!r}; give a path such as /maestro, without a slash at its end."
            )
        if not re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", self.address):
            raise SettingsError(f"--address is {self.address!r}; give a host name or an IP address.")
        if self.address in ("0.0.0.0", "::", "[::]") and not self.origins:
            raise SettingsError(
                f"--address {self.address} is every address of this machine; give with --origin HOST:{self.port} under "
                "which name browsers reach it, or the apps refuse them."
            )
        for origin in self.origins:
            if not re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]+)?", origin):
                raise SettingsError(f"--origin is {origin!r}; give HOST:PORT, or HOST for port 443.")
        if self.old_api and not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+", self.old_api):
            raise SettingsError(f"--old-api is {self.old_api!r}; give http://HOST:PORT.")
        if (self.certificate is None) != (self.key is None):
            raise SettingsError("a certificate needs its key; give both --certificate and --key.")
        for path in (self.certificate, self.key):
            if path is not None and (not path.is_file() or re.search(r"[\s;{}\"']", str(path))):
                raise SettingsError(f"{path} is not a file, or has a space, quote or brace in its name; give another.")

        if self.docs is not None and not (self.docs / "index.html").is_file():
            raise SettingsError(f"--docs {self.docs} has no index.html; build the documentation with make docs.")

    @property
    def url(self) -> str:
        """Address of the proxy."""
        return f"{'https' if self.certificate else 'http'}://{self.address}:{self.port}{self.prefix}"


def write_nginx(folder: Path, proxy: ReverseProxy, api_port: int, apps_port: int | None) -> Path:
    """Write ``nginx.conf``; returns its path."""
    for path in (folder, proxy.docs):
        if path is not None and re.search(r"[\s;{}\"']", str(path)):
            raise SettingsError(
                f"{path} has a space, quote or brace in its name, which nginx cannot take; give another."
            )
    (folder / "temporary").mkdir(exist_ok=True)
    text = _nginx(
        _BY_STACK, folder, proxy.address, proxy.port, prefix=proxy.prefix,
        certificate=proxy.certificate and proxy.certificate.absolute(),
        key=proxy.key and proxy.key.absolute(), old_api=proxy.old_api,
        docs=proxy.docs and proxy.docs.absolute(), api=f"127.0.0.1:{api_port}",
        apps=f"127.0.0.1:{apps_port}" if apps_port else "", error_log=folder / "nginx-error.log",
        access_log=folder / "nginx-access.log",
    )  # fmt: skip
    return _replace(folder / "nginx.conf", text)


def write_prometheus(folder: Path, api_port: int, alertmanager: str = "") -> Path:
    """Write ``prometheus.yml`` and its rules, for an Alertmanager at ``HOST:PORT``; returns its path."""
    _replace(folder / "rules.yml", (_TEMPLATES / "rules.yml").read_text(encoding="utf-8"))
    text = _prometheus(_BY_STACK, f"127.0.0.1:{api_port}", folder / "rules.yml", None, alertmanager)
    return _replace(folder / "prometheus.yml", text)


def container_files() -> dict[str, str]:
    """Return the files that containers mount, by their names in ``deploy``: the same templates with other places."""
    written = "Written by tools/write_deploy"
    return {
        "nginx/nginx.conf": _nginx(
            written, Path("/tmp"), "0.0.0.0", 8443, prefix="", certificate=Path("/run/secrets/tls_certificate"),
            key=Path("/run/secrets/tls_key"), old_api="", docs=Path("/usr/share/maestro/docs"), api="api:8400",
            apps="apps:5006", error_log="stderr", access_log="/dev/stdout",
        ),
        "prometheus/prometheus.yml": _prometheus(
            written, "api:8400", Path("/etc/prometheus/rules.yml"), Path("/run/secrets/metrics_key"),
            "alertmanager:9093",
        ),
        "prometheus/rules.yml": (_TEMPLATES / "rules.yml").read_text(encoding="utf-8"),
    }  # fmt: skip


def make_certificate(folder: Path, *hosts: str) -> tuple[Path, Path]:
    """Make a certificate for some host names, which this machine signs itself, for a year; an existing one is kept."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    if certificate.is_file() and key.is_file():
        return certificate, key
    openssl = find_programs(["openssl"])["openssl"]
    names = ",".join(f"{'IP' if re.fullmatch(r'[0-9.]+|.*:.*', host) else 'DNS'}:{host}" for host in hosts)
    done = subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "365",
         "-subj", f"/CN={hosts[0]}", "-addext", f"subjectAltName={names}", "-keyout", str(key), "-out",
         str(certificate)], capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise ServiceError(f"openssl could not make a certificate: {done.stderr.strip()[-300:]}")
    key.chmod(0o600)
    return certificate, key


def _nginx(written: str, folder: Path, address: str, port: int, **values: object) -> str:
    return _rendered("nginx.conf", written=written, folder=folder, address=address, port=port, policy=POLICY, **values)


def _prometheus(written: str, api: str, rules: Path, key_file: Path | None, alertmanager: str) -> str:
    return _rendered(
        "prometheus.yml", written=written, api=api, rules=rules, key_file=key_file, alertmanager=alertmanager
    )


def _rendered(name: str, **values: object) -> str:
    import jinja2

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    return environment.from_string((_TEMPLATES / name).read_text(encoding="utf-8")).render(**values)


def _replace(path: Path, text: str) -> Path:
    """Write a file of the configuration, in place of an earlier one of a stack only."""
    refuse_foreign(path, lambda head: _BY_STACK.encode() in head, "a file that `maestro stack up` wrote")
    return write_text(path, text)
