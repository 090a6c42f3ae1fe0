"""Deals of a stage by amount, as the board shows them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("imports", "0002_mapping"),
        ("records", "0003_not_duplicates"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="opportunity",
            name="deal_by_stage",
        ),
        migrations.AddIndex(
            model_name="opportunity",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["stage", "amount"],
                name="deal_by_stage_amount",
            ),
        ),
    ]
