"""Folded texts for search and order, indexes of lists, saved views."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import klientel.web.records.fields


class Migration(migrations.Migration):
    dependencies = [
        ("imports", "0001_initial"),
        ("records", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedView",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=50)),
                ("name", models.CharField(max_length=200)),
                ("query", models.CharField(blank=True, default="", max_length=4000)),
                ("shared", models.BooleanField(default=False)),
            ],
        ),
        migrations.AddField(
            model_name="campaign",
            name="folded",
            field=klientel.web.records.fields.Folded("name", "number"),
        ),
        migrations.AddField(
            model_name="company",
            name="folded",
            field=klientel.web.records.fields.Folded("name", "number", "city"),
        ),
        migrations.AddField(
            model_name="contact",
            name="folded",
            field=klientel.web.records.fields.Folded("name", "first_name", "email", "number"),
        ),
        migrations.AddField(
            model_name="lead",
            name="folded",
            field=klientel.web.records.fields.Folded("company_name", "name", "email", "number"),
        ),
        migrations.AddField(
            model_name="opportunity",
            name="folded",
            field=klientel.web.records.fields.Folded("name", "number"),
        ),
        migrations.AddField(
            model_name="product",
            name="folded",
            field=klientel.web.records.fields.Folded("name", "number"),
        ),
        migrations.AddField(
            model_name="rep",
            name="folded",
            field=klientel.web.records.fields.Folded("name", "first_name", "number"),
        ),
        migrations.AddField(
            model_name="task",
            name="folded",
            field=klientel.web.records.fields.Folded("title"),
        ),
        migrations.AddIndex(
            model_name="company",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)), fields=["folded"], name="company_by_folded"
            ),
        ),
        migrations.AddIndex(
            model_name="company",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["owner", "folded"],
                name="company_by_owner",
            ),
        ),
        migrations.AddIndex(
            model_name="company",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)), fields=["city"], name="company_by_city"
            ),
        ),
        migrations.AddIndex(
            model_name="company",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["segment"],
                name="company_by_segment",
            ),
        ),
        migrations.AddIndex(
            model_name="company",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["updated_at"],
                name="company_by_updated",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)), fields=["folded"], name="contact_by_folded"
            ),
        ),
        migrations.AddIndex(
            model_name="contract",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)), fields=["end"], name="contract_by_end"
            ),
        ),
        migrations.AddIndex(
            model_name="interaction",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)), fields=["ts"], name="interaction_by_ts"
            ),
        ),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)), fields=["folded"], name="lead_by_folded"
            ),
        ),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["created_on"],
                name="lead_by_created",
            ),
        ),
        migrations.AddIndex(
            model_name="opportunity",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)), fields=["folded"], name="deal_by_folded"
            ),
        ),
        migrations.AddIndex(
            model_name="opportunity",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["stage", "created_on"],
                name="deal_by_stage",
            ),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)), fields=["due_on"], name="task_by_due"
            ),
        ),
        migrations.AddField(
            model_name="savedview",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="saved_views",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(fields=("kind", "owner", "name"), name="saved_view_once"),
        ),
    ]
