"""What the shop sells. Prices are rials; each picture is a template of its own under ``templates/pictures/``."""

from __future__ import annotations

from dataclasses import dataclass

from foundation.rial import Rial
from merchant_demo.wording import Words


@dataclass(frozen=True, slots=True)
class Product:
    """One thing on the shelf; ``key`` names it in addresses, baskets and order lines."""

    key: str
    title: Words
    about: Words
    price: Rial


_SHELF = (
    Product(
        "saffron",
        Words("زعفران سرگل", "Saffron threads"),
        Words("یک مثقال زعفران قائنات، برداشت امسال", "4.6 g from Qaen, this year’s harvest"),
        Rial(9_800_000),
    ),
    Product(
        "teapot",
        Words("قوری سفالی فیروزه‌ای", "Turquoise teapot"),
        Words("دست‌ساز لالجین، با لعاب بی‌سرب", "Hand-made in Lalejin, lead-free glaze"),
        Rial(6_450_000),
    ),
    Product(
        "hafez",
        Words("دیوان حافظ", "Divan of Hafez"),
        Words("چاپ جیبی با جلد پارچه‌ای", "Pocket edition, cloth-bound"),
        Rial(3_200_000),
    ),
    Product(
        "pistachio",
        Words("پستهٔ اکبری", "Akbari pistachios"),
        Words("نیم کیلو، خام و تازه", "Half a kilo, raw and fresh"),
        Rial(7_600_000),
    ),
    Product(
        "kilim",
        Words("گلیم کوچک قشقایی", "Small Qashqai kilim"),
        Words("پشم طبیعی، ۶۰ در ۹۰ سانتی‌متر", "Natural wool, 60 × 90 cm"),
        Rial(48_500_000),
    ),
    Product(
        "soap",
        Words("صابون گل محمدی", "Rose soap"),
        Words("با گلاب کاشان، صد گرم", "With Kashan rose water, 100 g"),
        Rial(850_000),
    ),
)
PRODUCTS = {product.key: product for product in _SHELF}
QUANTITY_MAX = 9
