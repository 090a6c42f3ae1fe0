# ruff: noqa: E501 - a file and what becomes of it belong together
"""Small files as people send them, a handful of rows each: uniqueness says little, headers must carry it."""

from __future__ import annotations

import csv
import io

import pytest
from making import run, table, taken

# name: (file, table, text, {header: where it goes})
FILES: dict[str, tuple[str, str | None, str, dict[str, str]]] = {
    "supermarket": ("sales.csv", "order_line", """Invoice ID,Branch,City,Unit price,Quantity,Tax 5%,Total,Date,cogs,gross margin percentage,gross income
750-67,A,Yangon,74.69,7,26.1415,548.9715,2019-01-05,522.83,4.76,26.1415
226-31,C,Naypyitaw,15.28,5,3.82,80.22,2019-03-08,76.4,4.76,3.82
631-41,A,Yangon,46.33,7,16.2155,340.5255,2019-03-03,324.31,4.76,16.2155""",
        {"Invoice ID": "order_id", "Unit price": "invoice_price", "Quantity": "qty", "Total": "net_amount", "cogs": "direct_cost", "gross income": "margin", "Tax 5%": "-"}),
    "superstore": ("superstore.csv", "order_line", """Row ID,Order ID,Order Date,Ship Date,Customer ID,Customer Name,Segment,State,Region,Product ID,Category,Product Name,Sales,Quantity,Discount,Profit
1,CA-1,2016-11-08,2016-11-11,CG-12520,Claire Gute,Consumer,Kentucky,South,FUR-1,Furniture,Bush Bookcase,261.96,2,0,41.91
2,CA-1,2016-11-08,2016-11-11,CG-12520,Claire Gute,Consumer,Kentucky,South,FUR-2,Furniture,Hon Chair,731.94,3,0,219.58
3,CA-2,2016-06-12,2016-06-16,DV-13045,Darrin Huff,Corporate,California,West,OFF-1,Office,Label Pack,14.62,2,0,6.87
4,US-3,2015-10-11,2015-10-18,SO-20335,Sean Donnell,Consumer,Florida,South,FUR-3,Furniture,Bretford Table,957.57,5,0.45,-383.03""",
        {"Order ID": "order_id", "Order Date": "order_date", "Ship Date": "-", "Customer ID": "customer_id", "Customer Name": "customer_name", "Segment": "@customer.segment", "Product ID": "product_id", "Category": "product_group_id", "Sales": "net_amount", "Discount": "discount_share", "Profit": "margin"}),
    "people": ("people.csv", "contact", "id,first_name,last_name,email,company\n1,Ann,Lee,ann@x.com,Acme\n2,Bob,Ray,bob@y.com,Beta\n3,Cy,Dan,cy@z.com,Gamma",
        {"first_name": "first_name", "last_name": "name", "company": "customer_name", "email": "email", "id": "contact_id"}),
    "numbered names": ("liste.csv", "order_line", "Nr.;Name;Umsatz;DB\n1001;Huber GmbH;1000,00;200,00\n1002;Maier KG;500,00;150,00\n1003;Schulze OHG;50,00;15,00",
        {"Nr.": "customer_id", "Name": "customer_name", "Umsatz": "net_amount", "DB": "margin"}),
    "accounts with contracts": ("accounts.csv", "project_contract", "Account;Owner;ARR;Renewal date;Segment\nAcme;Ann;12000;2025-01-01;Enterprise\nBeta;Bob;3000;2025-03-01;SMB\nGamma;Ann;500;2025-05-01;SMB",
        {"Account": "customer_name", "ARR": "recurring_amount", "Renewal date": "end", "Owner": "@customer.owner_rep_id", "Segment": "@customer.segment"}),
    "year and month": ("export.csv", "order_line", "Jahr;Monat;Kundennr;Umsatz\n2024;1;1001;1000,00\n2024;1;1002;500,00\n2024;2;1001;50,00",
        {"Jahr": "period", "Monat": "-", "Kundennr": "customer_id", "Umsatz": "net_amount"}),
    "this year and last": ("export.csv", "order_line", "Kundennummer;Umsatz Vorjahr;Umsatz lfd. Jahr\n1001;1000,00;900,00\n1002;500,00;800,00\n1003;50,00;0,00",
        {"Kundennummer": "customer_id", "Umsatz Vorjahr": "-", "Umsatz lfd. Jahr": "net_amount"}),
    "summary": ("summary.csv", None, "customer_id,recency,frequency,monetary_value,T\n1,30.4,2,22.35,38.86\n2,1.7,1,11.77,38.86", {}),
    "dictionary": ("felder.csv", None, "Tabelle;Feld;Beschreibung\nkunde;name;Name der Firma\nkunde;ort;Sitz", {}),
    "suppliers": ("lieferanten.csv", None, "Lieferantennr;Firma;Ort\n1;Huber GmbH;Ulm\n2;Maier KG;Graz", {}),
    "carriers": ("versandfirmen.csv", None, "Firmen-Nr;Firma;Telefon\n1;Speedy Express;(503) 555-9831\n2;United Package;(503) 555-3199", {}),
    "dutch": ("facturen.csv", "order_line", "Klantnummer;Klantnaam;Factuurdatum;Bedrag\nK1;De Boer BV;2024-02-01;1000,00\nK2;Jansen Bouw;2024-02-03;500,00\nK1;De Boer BV;2024-03-15;700,00",
        {"Klantnummer": "customer_id", "Klantnaam": "customer_name", "Factuurdatum": "order_date", "Bedrag": "net_amount"}),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_small_files(name: str) -> None:
    file, wanted, text, expected = FILES[name]
    head, *rows = list(csv.reader(io.StringIO(text), delimiter=";" if ";" in text else ","))
    found = run(table([(h, [row[i] for row in rows]) for i, h in enumerate(head)], file))
    assert found[0].table == wanted, found[0].why
    assert found[0].why
    went = taken(found)
    assert {header: went.get(header, "-") for header in expected} == expected
