"""PostgreSQL schemas and roles: one of each per service, so that no service can read another's tables."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Engine

_LONGEST_NAME = 63


def make_schema(connection: sa.Connection, service: str) -> None:
    """Makes the service's schema if it is not there, owned by a role of its own where we are allowed to make roles.

    From here on the transaction works as that role, so that what it makes belongs to it.
    """
    connection.execute(sa.text("SET LOCAL ROLE NONE"))
    role = f"{connection.execute(sa.text('SELECT current_database()')).scalar_one()}_{service}"
    quoted_role = _quoted(connection, role)
    schema = _quoted(connection, service)
    exists = connection.execute(
        sa.text("SELECT 1 FROM pg_namespace WHERE nspname = :schema"), {"schema": service}
    ).scalar()
    if not exists:
        owned = len(role) <= _LONGEST_NAME and _make_role(connection, role, quoted_role)
        connection.execute(sa.text(f"CREATE SCHEMA {schema}" + (f" AUTHORIZATION {quoted_role}" if owned else "")))
    owner = connection.execute(
        sa.text("SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = :schema"), {"schema": service}
    ).scalar_one()
    if owner == role:
        connection.execute(sa.text(f"SET LOCAL ROLE {quoted_role}"))


def role_findings(engine: Engine) -> list[str]:
    """What is wrong with the login that the platform uses, one sentence each; empty when all is well."""
    if engine.dialect.name != "postgresql":
        return []
    with engine.connect() as connection:
        name, is_super, bypasses = connection.execute(
            sa.text("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = session_user")
        ).one()
    found = []
    if is_super:
        found.append(
            f"数据库登录角色 {name} 是超级用户，行级隔离对它无效 / the database login {name} is a superuser:"
            " row security does not apply to it. CREATE ROLE … LOGIN CREATEROLE NOSUPERUSER and use that one"
        )
    elif bypasses:
        found.append(
            f"数据库登录角色 {name} 可绕过行级隔离 / the database login {name} may bypass row security:"
            " ALTER ROLE … NOBYPASSRLS"
        )
    return found


def _quoted(connection: sa.Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)


def _make_role(connection: sa.Connection, role: str, quoted: str) -> bool:
    """Whether the role is there and ours to use. Not being allowed to is no failure: the login owns the tables then."""
    allowed = connection.execute(
        sa.text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
    ).scalar_one()
    if not allowed:
        return False
    exists = sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    try:
        with connection.begin_nested():
            if not connection.execute(exists, {"role": role}).scalar():
                connection.execute(sa.text(f"CREATE ROLE {quoted} NOLOGIN NOSUPERUSER NOBYPASSRLS"))
            connection.execute(sa.text(f"GRANT {quoted} TO CURRENT_USER"))
    except sa.exc.DBAPIError:
        # Somebody else's role of that name, or another process made it at this moment: do without.
        return False
    return True
