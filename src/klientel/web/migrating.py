"""Brings the records to the models of this Klientel so that a step that is cut off is taken whole or not at all."""

from __future__ import annotations

from typing import Any


def migrate(database: str = "default") -> None:
    """Take the steps (migrations) that a database lacks.

    Each step and the note that it was taken are one transaction. Django itself notes a step that makes indexes or
    constraints in a transaction of its own: cut off in between, it would try to take that step twice and fail.
    """
    from django.core.management import call_command
    from django.core.management.commands import migrate as command
    from django.db.migrations.executor import MigrationExecutor

    class Whole(MigrationExecutor):
        def apply_migration(
            self, state: Any, migration: Any, fake: bool = False, fake_initial: bool = False
        ) -> Any:
            if fake or fake_initial:
                return super().apply_migration(state, migration, fake, fake_initial)
            if self.progress_callback:
                self.progress_callback("apply_start", migration, fake)
            with self.connection.schema_editor(atomic=migration.atomic) as editor:
                state = migration.apply(state, editor)
                for statement in editor.deferred_sql:
                    editor.execute(statement)
                editor.deferred_sql.clear()
                self.record_migration(migration)
            if self.progress_callback:
                self.progress_callback("apply_success", migration, fake)
            return state

    usual, command.MigrationExecutor = command.MigrationExecutor, Whole
    try:
        call_command("migrate", database=database, verbosity=0)
    finally:
        command.MigrationExecutor = usual
