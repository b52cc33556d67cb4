"""Settings: the only place where the environment is read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from contracts.errors import ConfigurationError
from contracts.found_files import use_folder
from contracts.replication import MAX_LAG_S
from contracts.vocabulary import Channel


class Settings(BaseSettings):
    """What the environment says. Placeholders count as absent.

    Attributes:
        database_url: The primary: PostgreSQL, as Prisma's users know it.
        supabase_url: The project's URL, below which its REST API lies.
        supabase_service_role_key: The key of service_role, who sees every row.
        supabase_secret_key: The newer form of that key, which wins where both are set.
        supabase_anon_key: The key of anon; with it alone, rows may be hidden and nothing is compared.
        supabase_db_url: The secondary by SQL, which wins over REST.
        channel: How the secondary is reached; the best way that the other settings allow unless set.
        datasets: Folder with datasets of your own: for each a file in its `contracts/` and one in its `expectations/`.
        home: Where twinstore keeps its files.
        state_url: Where it keeps its memory; SQLite under `home` unless set.
        environment: Name of this pair of stores, shown in every report.
        grace_s: Seconds for which a difference must stand still before it counts.
        recheck_rounds: How often a moving row is looked at again.
        row_budget: Largest number of differing rows that are explained one by one.
        connect_timeout_s: Seconds to wait for a connection.
        statement_timeout_s: Seconds after which a server gives a statement up.
        max_requests: Number of REST requests after which a run gives up.
        max_mb: Megabytes received over REST after which a run gives up.
        max_lag_s: Seconds for which a change may wait before its rows count as different and an alert is raised.
        sync_interval_s: Seconds between two looks at both stores while their changes are followed.
        repair_max_rows: Largest number of steps of a repair that needs no leave: 100, or a tenth of the rows.
        repair_max_deletes: Likewise of deletes: 10, or a hundredth of the rows.
        keep_repairs_days: Days for which plans of repair and their journals are kept.
        keep_reports_days: Days for which reports are kept.
        webhook_url: Where alerts are sent as JSON: https, or http to this machine.
        prefect_api_url: Prefect's server; where it is set, alerts are sent there as events, too.
        backups: Where backups are kept; `backups` below `home` unless set.
        backups_keep: Number of backups that are kept; the last verified one always is.
        backups_keep_days: Days for which a backup is kept.
        reveal: Show personal values in reports.
        share: Hide internal values too.
        debug: Show tracebacks.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", hide_input_in_errors=True)

    database_url: Annotated[SecretStr | None, NoDecode] = Field(None, validation_alias="DATABASE_URL")
    supabase_url: str | None = Field(None, validation_alias="SUPABASE_URL")
    supabase_service_role_key: Annotated[SecretStr | None, NoDecode] = Field(
        None, validation_alias="SUPABASE_SERVICE_ROLE_KEY"
    )
    supabase_secret_key: Annotated[SecretStr | None, NoDecode] = Field(None, validation_alias="SUPABASE_SECRET_KEY")
    supabase_anon_key: Annotated[SecretStr | None, NoDecode] = Field(None, validation_alias="SUPABASE_ANON_KEY")
    supabase_db_url: Annotated[SecretStr | None, NoDecode] = Field(None, validation_alias="SUPABASE_DB_URL")
    channel: Channel | None = Field(None, validation_alias="TWINSTORE_CHANNEL")
    datasets: Path | None = Field(None, validation_alias="TWINSTORE_DATASETS")
    home: Path = Field(Path(".twinstore"), validation_alias="TWINSTORE_HOME")
    state_url: Annotated[SecretStr | None, NoDecode] = Field(None, validation_alias="TWINSTORE_STATE_URL")
    environment: str | None = Field(None, validation_alias="TWINSTORE_ENVIRONMENT", max_length=100)
    grace_s: float = Field(3.0, ge=0, le=3600, validation_alias="TWINSTORE_GRACE_S")
    recheck_rounds: int = Field(3, ge=1, le=100, validation_alias="TWINSTORE_RECHECK_ROUNDS")
    row_budget: int = Field(100_000, ge=1, validation_alias="TWINSTORE_ROW_BUDGET")
    connect_timeout_s: float = Field(10.0, gt=0, le=600, validation_alias="TWINSTORE_CONNECT_TIMEOUT_S")
    statement_timeout_s: float = Field(600.0, gt=0, le=86_400, validation_alias="TWINSTORE_STATEMENT_TIMEOUT_S")
    max_requests: int | None = Field(None, ge=1, validation_alias="TWINSTORE_MAX_REQUESTS")
    max_mb: int | None = Field(None, ge=1, validation_alias="TWINSTORE_MAX_MB")
    max_lag_s: float = Field(MAX_LAG_S, ge=0, le=604_800, validation_alias="TWINSTORE_MAX_LAG_S")
    sync_interval_s: float = Field(1.0, ge=0.05, le=3600, validation_alias="TWINSTORE_SYNC_INTERVAL_S")
    repair_max_rows: int | None = Field(None, ge=0, validation_alias="TWINSTORE_REPAIR_MAX_ROWS")
    repair_max_deletes: int | None = Field(None, ge=0, validation_alias="TWINSTORE_REPAIR_MAX_DELETES")
    keep_repairs_days: int = Field(90, ge=1, le=3650, validation_alias="TWINSTORE_KEEP_REPAIRS_DAYS")
    keep_reports_days: int = Field(400, ge=1, le=3650, validation_alias="TWINSTORE_KEEP_REPORTS_DAYS")
    webhook_url: Annotated[SecretStr | None, NoDecode] = Field(None, validation_alias="TWINSTORE_WEBHOOK_URL")
    prefect_api_url: str | None = Field(None, validation_alias="PREFECT_API_URL")
    backups: Path | None = Field(None, validation_alias="TWINSTORE_BACKUPS")
    backups_keep: int = Field(8, ge=1, validation_alias="TWINSTORE_BACKUPS_KEEP")
    backups_keep_days: float = Field(60.0, gt=0, le=36_500, validation_alias="TWINSTORE_BACKUPS_KEEP_DAYS")
    reveal: bool = Field(default=False, validation_alias="TWINSTORE_REVEAL")
    share: bool = Field(default=False, validation_alias="TWINSTORE_SHARE")
    debug: bool = Field(default=False, validation_alias="TWINSTORE_DEBUG")

    @field_validator(
        "database_url",
        "supabase_url",
        "supabase_service_role_key",
        "supabase_secret_key",
        "supabase_anon_key",
        "supabase_db_url",
        "state_url",
        "datasets",
        "webhook_url",
        "backups",
        mode="before",
    )
    @classmethod
    def _placeholders_are_absent(cls, value: object) -> object:
        from storage.urls import is_placeholder

        return None if isinstance(value, str) and is_placeholder(value) else value

    @property
    def supabase_key(self) -> SecretStr | None:
        """The strongest key that is set."""
        return self.supabase_secret_key or self.supabase_service_role_key or self.supabase_anon_key

    @property
    def writes_secondary(self) -> bool:
        """True when what is set leads to the secondary as somebody who may write all of it."""
        key = self.supabase_secret_key or self.supabase_service_role_key
        return self.supabase_db_url is not None or (self.supabase_url is not None and key is not None)

    @property
    def embedded(self) -> bool:
        """True when no store is configured, so that the embedded pair is used."""
        return not (self.database_url or self.supabase_url or self.supabase_db_url)


def load_settings() -> Settings:
    """Read the environment, and look for datasets where it says from now on.

    Raises:
        ConfigurationError: A setting cannot be used; the message names it and never its value.
    """
    settings = read_settings()
    use_folder(settings.datasets)
    return settings


def read_settings() -> Settings:
    """Read the environment.

    Raises:
        ConfigurationError: As `load_settings`.
    """
    try:
        return Settings()
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        raise ConfigurationError(
            f"The setting {first['loc'][0]} cannot be used: {first['msg'].lower()}.", "See env.example."
        ) from None
