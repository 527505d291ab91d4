"""The word lists for the simulated events."""

from typing import NamedTuple


class City(NamedTuple):
    """The city of an event; `utc_offset` is in hours, without daylight saving time."""

    name: str
    country: str
    language: str
    currency: str
    utc_offset: float
    lat: float
    lon: float


CITIES = (
    City("Zürich", "CH", "de", "CHF", 1, 47.3769, 8.5417),
    City("London", "GB", "en", "GBP", 0, 51.5072, -0.1276),
    City("New York", "US", "en", "USD", -5, 40.7128, -74.006),
    City("São Paulo", "BR", "pt", "BRL", -3, -23.5558, -46.6396),
    City("Ciudad de México", "MX", "es", "MXN", -6, 19.4326, -99.1332),
    City("Orléans", "FR", "fr", "EUR", 1, 47.9029, 1.9093),
    City("東京", "JP", "ja", "JPY", 9, 35.6762, 139.6503),
    City("القاهرة", "EG", "ar", "EGP", 2, 30.0444, 31.2357),
)

# By language: name templates; {topic} is one of TOPICS.
SERIES: dict[str, tuple[str, ...]] = {
    "de": ("Lange Nacht: {topic}", "{topic} für Anfänger", "Frühlings-{topic}", "Großes {topic}"),
    "en": ("The Big {topic}", "{topic} in the Park", "Late Night {topic}", "{topic} & Friends"),
    "pt": ("{topic} na Praça", "Noite de {topic}", "{topic} de Verão", "Encontro: {topic}"),
    "es": ("{topic} en la Plaza", "Mañana de {topic}", "Gran {topic}", "{topic} de otoño"),
    "fr": ("{topic} d'été", "Soirée {topic}", "{topic} à la carte", "Rencontres: {topic}"),
    "ja": ("春の{topic}", "{topic}の夜", "はじめての{topic}", "{topic}まつり"),
    "ar": ("ليلة {topic}", "مهرجان {topic}", "{topic} للجميع", "ملتقى {topic}"),
}

ENDINGS = ("", "", "", "", " 🎉", ": Extra", " #2", " (live)")

LANGUAGES = ("de", "en", "pt", "es", "fr", "ja", "ar")

# By category: a topic for each of LANGUAGES.
TOPICS: dict[str, tuple[str, ...]] = {
    "music": ("Jazzkonzert", "Jazz", "Música", "Música", "Musique", "音楽", "الموسيقى"),
    "theatre": ("Bühnenstück", "Improv", "Teatro", "Teatro", "Théâtre", "演劇", "المسرح"),
    "sport": ("Stadtlauf", "10K Run", "Corrida", "Fútbol", "Vélo", "マラソン", "الرياضة"),
    "technology": ("Python-Treff", "Data", "Programação", "Código", "Données", "技術", "البرمجة"),
    "food": ("Käsemarkt", "Street Food", "Pão", "Tapas", "Crêpes", "ラーメン", "الطعام"),
    "art": ("Kunstführung", "Drawing", "Arte", "Pintura", "Céramique", "書道", "الفن"),
    "family": ("Märchenfest", "Puppets", "Crianças", "Niños", "Marionnettes", "こども", "الأطفال"),
    "business": ("Gründertag", "Pitching", "Negócios", "Empresas", "Réseau", "起業", "الأعمال"),
}

CATEGORIES = tuple(TOPICS)

TAGS: dict[str, tuple[str, ...]] = {
    "music": ("jazz", "live", "open-air", "música"),
    "theatre": ("stage", "comedy", "première", "improv"),
    "sport": ("running", "outdoor", "team", "10k"),
    "technology": ("python", "data", "meetup", "open-source"),
    "food": ("street-food", "tasting", "café", "vegan"),
    "art": ("gallery", "workshop", "展覧会", "drawing"),
    "family": ("kids", "weekend", "free-entry", "märchen"),
    "business": ("networking", "start-up", "talk", "finance"),
}

HALLS = (("Arena", 12000), ("Park", 5000), ("Hall", 800), ("Club", 150))

SENTENCES = (
    "Doors open an hour before the start.",
    "Bring a friend; the second ticket is half the price.",
    "In case of rain we move inside.",
    "Plus d'informations à l'entrée.",
)
