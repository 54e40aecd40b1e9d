"""`zhigai`: the command line. Services bring their own commands; this file brings those that need several."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from shared.errors import Refused
from shared.fields import INDUSTRIES
from shared.settings import BadSetting, Settings
from zhigai import __version__
from zhigai.search_commands import search

SERVICES = ("catalog", "gateway", "knowledge", "models", "portal", "programme")
SERVICES_WITH_COMMANDS = ("models",)


class Commands(click.Group):
    """Commands of the services are imported only when one is asked for, so that `--help` stays quick."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BadSetting as wrong:
            raise click.ClickException(str(wrong)) from None
        except Refused as refused:
            raise click.ClickException(said(refused)) from None


def said(refused: Refused) -> str:
    """A refusal in words, as the API would say it."""
    from shared.problems import PROBLEMS, ProblemTable

    tables = [PROBLEMS]
    for service in SERVICES:
        try:
            tables.append(importlib.import_module(f"services.{service}.problems").PROBLEMS)
        except ModuleNotFoundError:
            continue
    language = "zh" if os.environ.get("LANG", "").startswith("zh") else "en"
    problem = ProblemTable(*tables).problem(refused, language=language, request_id="-")
    return str(problem.body["detail"])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="zhigai")
@click.pass_context
def main(context: click.Context) -> None:
    """Zhigai 智改: solutions, knowledge, models and subsidies for the intelligent retrofit of small manufacturers."""


def settings_of() -> Settings:
    return Settings.load()


@main.command()
@click.argument("service", required=False, type=click.Choice(SERVICES))
@click.option("--host", help="Address to listen on (default 127.0.0.1, or ZHIGAI_HOST).")
@click.option("--port", type=int, help="Port to listen on (default 8080, or PORT).")
def serve(service: str | None, host: str | None, port: int | None) -> None:
    """Serve the whole platform in one process, or one SERVICE by itself.

    The whole platform migrates its databases and loads its content first; a single service expects that
    `zhigai migrate` and `zhigai seed` have been run.
    """
    from shared import telemetry
    from shared.http import serve as server
    from zhigai import platform

    settings = settings_of()
    port = port or int(os.environ.get("PORT") or settings.port)
    settings = settings.with_(host=host or settings.host, port=port)
    telemetry.configure_logging(settings.log_level)
    if service is None:
        platform.prepare(settings)
        made = platform.all_in_one(settings)
    else:
        made = platform.one_service(settings, service)

    def ready() -> None:
        if service is None:
            click.echo(f"智改 Zhigai  http://{settings.host}:{settings.port}")
            click.echo(f"admin key    {settings.home / 'admin.key'}")
        else:
            click.echo(f"{service}  http://{settings.host}:{settings.port}")

    server.run(settings, made.wsgi, made.hot, on_start=made.start, on_ready=ready, on_stop=made.stop)


@main.command()
@click.option("--until-idle", is_flag=True, help="End when there has been nothing to do for a while.")
def worker(until_idle: bool) -> None:
    """Do background jobs: rung by Celery when ZHIGAI_REDIS_URL is set, else by looking at the job table."""
    from shared import telemetry
    from shared.jobs import worker as work
    from zhigai import platform

    settings = settings_of()
    telemetry.configure_logging(settings.log_level)
    works = platform.works(settings)
    if settings.redis_url is not None and not until_idle:
        work.with_celery(settings, works)
    else:
        idle = settings if until_idle else settings.with_(worker_idle_s=float("inf"))
        work.until_idle(idle, works)


@main.command()
def migrate() -> None:
    """Bring every service's database to the newest schema."""
    from zhigai import platform

    platform.migrate(settings_of())
    click.echo("migrated")


@main.command()
def seed() -> None:
    """Load the content that ships with the platform; what has not changed is left alone."""
    from zhigai import platform

    settings = settings_of()
    if not platform.is_migrated(settings):
        raise click.ClickException("数据库还没有建好，请先运行 zhigai migrate / run `zhigai migrate` first")
    platform.seed(settings)
    click.echo("seeded")


@main.command()
@click.argument("services", nargs=-1)
def reindex(services: tuple[str, ...]) -> None:
    """Build the search indexes of SERVICES (default: all) anew from the databases; searches answer throughout."""
    from zhigai import platform

    settings = settings_of()
    for service in services or platform.INDEXED_SERVICES:
        if service not in platform.INDEXED_SERVICES:
            raise click.BadParameter(f"{service} has no index; those that have: {', '.join(platform.INDEXED_SERVICES)}")
        app = platform.service_app(settings, service)
        count = importlib.import_module(f"services.{service}.app").reindex(app)
        click.echo(f"{service}: {count} documents")


@main.command()
def doctor() -> None:
    """Look at settings, databases, indexes and files, and say what to mend."""
    from zhigai.doctor import findings

    settings = settings_of()
    found = findings(settings)
    for finding in found:
        click.echo(f"{'ok  ' if finding.ok else 'MEND'}  {finding.what}: {finding.detail}")
    sys.exit(0 if all(finding.ok for finding in found) else 1)


@main.group()
def content() -> None:
    """The content that ships with the platform."""


@content.command("check")
@click.option("--root", type=click.Path(exists=True, file_okay=False, path_type=Path), default=None)
@click.option("--industry", type=click.Choice((*INDUSTRIES, "all")), help="Findings of one industry; all: of none.")
@click.option("--gaps", is_flag=True, help="List what is still to be written too, and fail for it.")
def content_check(root: Path | None, industry: str | None, gaps: bool) -> None:
    """Check every reference, id, status and source of the content; each finding with file and place."""
    from zhigai.content_check import GAPS, check

    found = check(root or Path(__file__).resolve().parent.parent, industry)
    missing = [finding for finding in found if finding.rule in GAPS]
    shown = found if gaps else [finding for finding in found if finding.rule not in GAPS]
    for finding in shown:
        click.echo(f"{finding.file}: {finding.path}: {finding.rule}: {finding.message}")
    if shown:
        raise click.ClickException(f"{len(shown)} findings")
    click.echo(f"content is sound; {len(missing)} gaps, see --gaps" if missing else "content is sound and complete")


@content.command("report")
@click.option("--root", type=click.Path(exists=True, file_okay=False, path_type=Path), default=None)
@click.option("--json", "as_json", is_flag=True, help="The whole report as JSON.")
def content_report(root: Path | None, as_json: bool) -> None:
    """Show what the content covers: directions, scales, kinds, process steps, statuses, what is overdue."""
    from datetime import UTC, datetime

    from zhigai.content_report import as_text, report

    found = report(root or Path(__file__).resolve().parent.parent, datetime.now(UTC).date())
    click.echo(json.dumps(found, ensure_ascii=False, indent=2) if as_json else as_text(found))


def _add_commands_of_services() -> None:
    for service in SERVICES_WITH_COMMANDS:
        module = importlib.import_module(f"services.{service}.cli")
        for command in module.COMMANDS:
            main.add_command(command)


_add_commands_of_services()
main.add_command(search)
