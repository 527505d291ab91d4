"""The words in the names of fields, by which what they hold is told."""

from __future__ import annotations

import re
from unicodedata import normalize

from event_assets.values.json_paths import parse_path


def listed(text: str) -> tuple[str, ...]:
    """Return the names in a text, in their order."""
    return (*text.split(),)


def _words(text: str) -> frozenset[str]:
    return frozenset(listed(text))


START = _words(
    "start starts started starting begin begins beginning commences from beginn anfang von debut "
    "inicio inizio aanvang alkaa alku rozpoczecie rozpoczecia zacatek dtstart opening strt bgn "
    "startar borjar alkuaika onset opens inici inceput pocetak zaciatok pradzia sakums algus "
    "kezdes kezdete baslangic mulai lower"
)
END = _words(
    "end ends ended ending finish finished finishes until to through stop ende bis fin fine fim "
    "einde eind slut slutt slutter paattyy loppu zakonczenie zakonczenia konec dtend closing thru "
    "slutar loppuaika closes due till termino fi sfarsit kraj koniec pabaiga beigas lopp vege "
    "bitis selesai upper"
)
TIME_OF_DAY = _words("time times clock hour zeit uhrzeit heure hora ora orario tijd tid")
WHEN = TIME_OF_DAY | _words(
    "when date datetime dates day timestamp ts dt datum dato fecha occurs takes scheduled planned "
    "occurred happened occurrence air aired airs showtime kickoff tipoff premiere"
)
DAY = _words("date dates day datum dato tag fecha data")
# Words for what takes place, which may have the name, or be it.
EVENTS = listed(
    "event evento veranstaltung evenement show concert lecture activity class course lesson "
    "workshop exhibition session service film meeting appointment performance seminar webinar talk "
    "task what"
)
OF_TIME = _words("local at on utc string unix epoch iso match game race fixture kick off") | {
    *EVENTS
}  # no other time's name
ZONE = _words("timezone zone tz tzid offset")
DURATION = _words("duration timeduration runtime length minutes dauer duree")
UPDATED = _words("updated modified changed update modification lastmodified")
REMOVED = _words("deleted removed trashed")
CANCELLED = _words("cancelled canceled")
STATE = _words("status state")
NAME = listed(
    "name title summary subject topic headline label titel tittel titre titulo titolo bezeichnung "
    "otsikko nom nome nombre naam namn navn nazwa nazev nimi heading betreff intitule names titles "
    "caption overskrift rubrik pealkiri baslik denominaci naslov naziv nazov denumire titlu judul "
    "nama nosaukums pavadinimas denominazione denominacion"
)
# The name, if nothing else is, where it has several words and few characters.
LAST_NAMES = (*EVENTS, "description", "desc", "text", "message")
OF_NAME = _words(  # which make a name no other one, such as `nom_de_la_manifestation`
    "event evento evenement manifestation veranstaltung display full main en of the la le du del "
    "do da van der"
)
NAME_PARENTS = _words(
    "event node attributes fields properties data item details info content general basic texts "
    "entry resource en"
)
# Times in an event's record that are not when it takes place.
OTHER_TIMES = (REMOVED | UPDATED) | _words(
    "sale sales onsale presale registration register booking ticket tickets created create "
    "creation published publish publication door doors deadline expires expiry original recurrence "
    "synced indexed fetched announce announced visible cutoff cancelled added posted submitted "
    "add setup checkin rsvp last refund sell selling enrollment enrolment curfew pre gates cleanup "
    "submission subscription cfp papers proposals application applications apply nominations "
    "voting reception vernissage preview einlass vorverkauf anmeldung anmeldeschluss inscription "
    "reg signup inscripcion inscripciones inscricao inscricoes inschrijving iscrizione iscrizioni"
)
# Objects in an event's record that have names, ids and times of their own.
OTHER_OBJECTS = _words(
    "venue venues location place organizer organiser organization host user owner creator author "
    "category categories series performer performers artist attractions ticket tickets image "
    "images address city calendar group tags tag speaker speakers sponsor contact promoter "
    "classification classifications country state template parent relationships links team teams "
    "league competitor competitors player players resource room space sport grade round season "
    "faction instructor instructors staff teacher teachers trainer trainers coach coaches guide "
    "guides presenter presenters moderator lecturer lecturers leader person people member members "
    "customer customers client provider attendee attendees company department facility studio hall "
    "stage lieu lieux salle ville organisateur adresse categorie ort veranstaltungsort saal raum "
    "stadt veranstalter kategorie lugar sala recinto sede ciudad cidade organizador categoria "
    "direccion luogo citta organizzatore indirizzo plaats locatie zaal organisator adres sted "
    "miejsce internal private responses answers"
)
OF_PERSON = _words("first last given family middle nick")  # in the name of one
# Whose time zone is not that of the event.
PEOPLE = _words(
    "account organizer organiser organization user owner creator created author display viewer "
    "calendar profile host"
)
# Of which names are made without anything between them, such as `startdatetime`.
JOINED = sorted(
    (START - {"from", "von"})
    | (END - {"to", "bis", "fin", "fine", "slutt"})
    | _words(
        "event date time utc gmt local iso unix epoch at on name title id uid zone last updated "
        "modified stamp day formatted timestamp datetime timezone lastmodified identifier "
        "cancelled canceled is live deleted code datum dato tid tidspunkt tijd zeit uhrzeit air ts"
    ),
    key=len,
    reverse=True,
)
COMPOUND = re.compile(rf"(?:{'|'.join(JOINED)})+")
WORD = re.compile("|".join(JOINED))
PARTS = {"datetime": ["date", "time"]}
TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def split_name(name: str) -> list[str]:
    """Return the words of a name, in small letters: `startDateTime` and `startdatetime` alike."""
    words: list[str] = []
    plain = normalize("NFKD", name).encode("ascii", "ignore").decode()  # without accents
    for token in TOKEN.findall(plain):
        word = token.lower()
        words += WORD.findall(word) if COMPOUND.fullmatch(word) else [word]
    return [part for word in words for part in PARTS.get(word, [word])]


def split_path(path: str) -> list[list[str]]:
    """Return the words of each name in a path."""
    return [split_name(name) for name in parse_path(path)]


def in_path(path: str) -> set[str]:
    """Return the words of all names in a path."""
    return {word for name in split_path(path) for word in name}


def is_of_other(path: str) -> bool:
    """Return whether a name is that of a person, or of another object than the event."""
    return bool(in_path(path) & (OTHER_OBJECTS | OF_PERSON))
