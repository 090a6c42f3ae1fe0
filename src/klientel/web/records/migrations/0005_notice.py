"""Contracts know the day on which notice was given, and the day on which they really ended."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0004_board"),
    ]

    operations = [
        migrations.AddField(
            model_name="contract",
            name="cancelled_on",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="contract",
            name="ended_on",
            field=models.DateField(blank=True, null=True),
        ),
    ]
