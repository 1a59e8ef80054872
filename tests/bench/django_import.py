"""The same workbook through django-import-export with its bulk settings; run by `tests.bench.peer`.

The same fields, the same checks of codes and of instruments that are there already, one transaction. Prints
seconds by the clock and of processor.
"""

import sys
import time
from pathlib import Path

import django
from django.conf import settings
from django.db import connection, models

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[2]}},
    INSTALLED_APPS=["import_export"],
    USE_TZ=True,
    IMPORT_EXPORT_USE_TRANSACTIONS=True,
)
django.setup()

from import_export import fields, resources, widgets  # noqa: E402  (Django must be set up first)
from import_export.formats.base_formats import XLSX  # noqa: E402


class Kind(models.Model):
    """A kind by its code."""

    code = models.CharField(max_length=12, unique=True)

    class Meta:
        app_label = "peer"


class Division(models.Model):
    """A division by its code."""

    code = models.CharField(max_length=6, unique=True)

    class Meta:
        app_label = "peer"


class Instrument(models.Model):
    """A ledger row with the fields of the template."""

    name = models.CharField(max_length=120)
    instrument_type = models.CharField(max_length=40)
    kind = models.ForeignKey(Kind, models.PROTECT)
    specification = models.CharField(max_length=120, blank=True)
    measuring_range = models.CharField(max_length=120, blank=True)
    accuracy_class = models.CharField(max_length=60, blank=True)
    serial_number = models.CharField(max_length=60)
    manufacturer = models.CharField(max_length=120)
    origin = models.CharField(max_length=10)
    division = models.ForeignKey(Division, models.PROTECT)
    location = models.CharField(max_length=200, blank=True)
    purchased_on = models.DateField(null=True)
    quantity = models.IntegerField(default=1)
    purpose = models.CharField(max_length=20)
    delivery_mode = models.CharField(max_length=20)
    valid_until = models.DateField(null=True)
    remark = models.CharField(max_length=500, blank=True)

    class Meta:
        app_label = "peer"
        indexes = (models.Index(fields=["serial_number", "manufacturer", "specification"]),)


NAMES = [field.name for field in Instrument._meta.fields if field.name != "id"]


class InstrumentResource(resources.ModelResource):
    """Columns by the names of the fields; kinds and divisions by their codes."""

    kind = fields.Field("kind", "kind", widgets.ForeignKeyWidget(Kind, "code"))
    division = fields.Field("division", "division", widgets.ForeignKeyWidget(Division, "code"))

    class Meta:
        model = Instrument
        fields = tuple(NAMES)
        import_id_fields = ("serial_number", "manufacturer", "specification")
        use_bulk = True
        batch_size = 1000
        skip_unchanged = True
        report_skipped = False
        skip_diff = True
        use_transactions = True
        # Lengths, choices and references, as ours checks them.
        clean_model_instances = True


def main() -> None:
    """Make the tables, import the workbook, print the time."""
    with connection.schema_editor() as editor:
        for model in (Kind, Division, Instrument):
            editor.create_model(model)
    for model, file in ((Kind, "catalog.csv"), (Division, "divisions.csv")):
        lines = (Path(sys.argv[3]) / file).read_text().splitlines()[1:]
        model.objects.bulk_create(model(code=line.split(",")[0]) for line in lines)
    wall, cpu = time.perf_counter(), time.process_time()
    dataset = XLSX().create_dataset(Path(sys.argv[1]).read_bytes())
    dataset.headers = NAMES
    result = InstrumentResource().import_data(dataset, raise_errors=True)
    print(time.perf_counter() - wall, time.process_time() - cpu, result.totals["new"])


if __name__ == "__main__":
    main()
