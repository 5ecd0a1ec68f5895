"""# Gates

Who is kept off every list: the deceased, test patients, restricted records, and who refuses research or contact.

A Consent is shown by its provisions, one row each: `level` 1 is the outer one, 2 and 3 stand within it."""

from datetime import date

import duckdb
import pytest

from cohortfinder.engine.duckdb_engine import DuckDBEngine
from cohortfinder.engine.plan import standing_statements
from cohortfinder.gates import NO_LISTS, Gates
from cohortfinder.resources import resource_dir
from cohortfinder.terminology import load_terminology
from spec.conftest import fill, make_trial, read_table

AS_OF = date(2026, 11, 20)
MII = "2.16.840.1.113883.3.1937.777.24.5.3"


@pytest.fixture
def behind():
    """Return the gates of each patient, and hold against them who may be listed."""

    def ask(gates: Gates = NO_LISTS, **tables: str) -> dict[str, str]:
        with duckdb.connect() as connection:
            fill(connection, tables)
            mappings, trial = load_terminology(resource_dir("mappings")), make_trial({"sex": "female"})
            DuckDBEngine(connection).run_all(standing_statements(trial, mappings, AS_OF, gates))
            found = connection.execute(
                "SELECT patient_id, string_agg(gate, ' ' ORDER BY gate) FROM gate GROUP BY patient_id"
            ).fetchall()
            listed = {one for (one,) in connection.execute("SELECT patient_id FROM individual").fetchall()}
        assert listed.isdisjoint(one for one, _ in found)
        return dict(found)

    return ask


def consents(text: str) -> str:
    """Fill in what most of the Consents here say: an active one of research, each a row of its own."""
    rows = read_table(text)
    full = [
        {"status": "active", "scope": "research", "level": "1", "id": f"of-{row['patient_id']}"} | row for row in rows
    ]
    names = sorted({name for row in full for name in row})
    lines = [names, *([row.get(name) or "" for name in names] for row in full)]
    return "\n".join(" | ".join(line) for line in lines)


def test_labels_of_restricted_records_and_test_patients_keep_off(behind):
    """R and V of the confidentiality, HTEST as a label or a tag; normal and low records are nothing special."""
    found = behind(
        patient="""
            patient_id | security | tag
            restricted | N R      |
            very       | V        |
            normal     | N        | R
            test       | HTEST    |
            tagged     |          | other HTEST
            both       | R HTEST  |
            nearly     | RR VV    | HTESTS
        """
    )
    assert found == {
        "restricted": "restricted", "very": "restricted", "test": "test_patient", "tagged": "test_patient",
        "both": "restricted test_patient",
    }  # fmt: skip


def test_a_site_adds_labels_and_lists(behind):
    """Of labels joined by + it takes all. A list may name a record that was replaced, and nobody of the store."""
    found = behind(
        Gates(
            restricted=(frozenset({"R", "42CFRPart2"}),),
            test_labels=(frozenset({"TRAINING"}),),
            test_patients=("listed", "stranger"),
            do_not_contact=("replaced", "listed"),
        ),
        patient="""
            patient_id | security     | tag      | replaced_by
            half       | R            |          |
            whole      | 42CFRPart2 R |          |
            training   |              | TRAINING |
            listed     |              |          |
            replaced   |              |          | survivor
            survivor   |              |          |
        """,
    )
    assert found == {
        "whole": "restricted", "training": "test_patient", "listed": "do_not_contact test_patient",
        "survivor": "do_not_contact",
    }  # fmt: skip


def test_what_one_record_of_a_person_says_counts_for_the_person(behind):
    """Also a replaced one; only of death the record that goes on may know better."""
    found = behind(
        patient="""
            patient_id | security | deceased | replaced_by
            survivor   |          |          |
            duplicate  | R        |          | survivor
            refuser    |          |          |
            earlier    |          |          | refuser
            dead       |          |          |
            died       |          | true     | dead
            alive      |          | false    |
            mistaken   |          | true     | alive
        """,
        consent=consents("""
            patient_id | provision_type
            earlier    | deny
        """),
    )
    assert found == {"survivor": "restricted", "refuser": "consent", "dead": "deceased"}


def test_death_counts_from_its_day(behind):
    """A date that cannot be read counts as death."""
    found = behind(
        patient="""
            patient_id | deceased | deceased_at
            today      |          | 2026-11-20
            tomorrow   |          | 2026-11-21
            this_year  |          | 2026
            unreadable |          | yesterday
            not_dead   | false    |
        """
    )
    assert found == {"today": "deceased", "this_year": "deceased", "unreadable": "deceased"}


def test_a_refusal_holds_while_it_is_in_force(behind):
    """On both days at its ends; where the ends are partial or unreadable it may hold, and so it does."""
    found = behind(
        consent=consents("""
            patient_id | provision_type | period_start | period_end
            open       | deny           |              |
            until      | deny           |              | 2026-11-20
            expired    | deny           |              | 2026-11-19
            from       | deny           | 2026-11-20   |
            future     | deny           | 2026-11-21   |
            month      | deny           |              | 2026-11
            last_month | deny           |              | 2026-10
            unreadable | deny           | some day     | later
            permits    | permit         |              |
        """)
    )
    assert found == dict.fromkeys(("open", "until", "from", "month", "unreadable"), "consent")


def test_the_status_of_a_consent_decides_whether_it_speaks(behind):
    """One that was rejected is a no. A status that is missing or unknown does not silence a refusal."""
    found = behind(
        consent=consents("""
            patient_id | status           | provision_type
            active     | active           | deny
            rejected   | rejected         | permit
            inactive   | inactive         | deny
            draft      | draft            | deny
            proposed   | proposed         | deny
            mistake    | entered-in-error | deny
            missing    |                  | deny
            odd        | odd              | deny
        """)
    )
    assert found == dict.fromkeys(("active", "rejected", "missing", "odd"), "consent")


def test_a_permission_within_a_refusal_lifts_it(behind):
    """As the broad consent of German hospitals is written: all is refused but what is permitted by its code.

    To be used for science is no permission to be contacted; nor is one that is over, may be over, or holds for some
    people only.
    """
    rows = f"""
        contact | {MII}.6 {MII}.29 |            |
        use     | {MII}.6 {MII}.8  |            |
        over    | {MII}.29         | 2026-11-19 |
        until   | {MII}.29         | 2026-11-20 |
        maybe   | {MII}.29         | 2026-11    |
        limited | {MII}.29         |            | true
        all     |                  |            |
    """
    outer = "\n".join(f"{row.split()[0]} | 1 | deny | | |" for row in rows.strip().splitlines())
    inner = "\n".join(row.replace("|", "| 2 | permit |", 1) for row in rows.strip().splitlines())
    head = "patient_id | level | provision_type | code | period_end | limited"
    found = behind(consent=consents(f"{head}\n{outer}\n{inner}"))
    assert found == dict.fromkeys(("use", "over", "maybe", "limited"), "consent")


def test_a_refusal_within_a_permission_counts(behind):
    """At any depth; one of something else does not, and one that nobody here understands keeps off as well."""
    found = behind(
        consent=consents(f"""
            patient_id | level | provision_type | purpose | code     | deeper
            purpose    | 1     | permit         |         |          |
            purpose    | 2     | deny           | HRESCH  |          |
            third      | 1     | permit         |         |          |
            third      | 2     | permit         |         |          | true
            third      | 3     | deny           |         | {MII}.29 |
            marketing  | 1     | permit         |         |          |
            marketing  | 2     | deny           | HMARKT  |          |
            insurance  | 1     | permit         |         |          |
            insurance  | 2     | deny           |         | {MII}.10 |
            strange    | 1     | permit         |         |          |
            strange    | 2     | deny           |         | LOCAL    |
            deep       | 1     | permit         |         |          |
            deep       | 3     | permit         |         |          | true
            no_type    | 1     | permit         |         |          |
            no_type    | 2     |                |         | {MII}.6  |
        """)
    )
    assert found == {
        "purpose": "consent", "third": "consent", "strange": "consent_unclear", "deep": "consent_unclear",
        "no_type": "consent_unclear",
    }  # fmt: skip


def test_without_a_provision_the_policy_decides(behind):
    """An active research consent that says neither yes nor no cannot be read."""
    found = behind(
        consent=consents("""
            patient_id | level | policy
            out        |       | OPTOUT
            into       |       | OPTIN
            other      |       | OTHER
            nothing    |       |
        """)
    )
    assert found == {"out": "consent", "other": "consent_unclear", "nothing": "consent_unclear"}


def test_what_a_consent_is_about_decides_whether_it_concerns_us(behind):
    """To treatment: only what names research. To privacy: what refuses everything. To nothing known: what cannot be read."""
    found = behind(
        consent=consents("""
            patient_id | scope           | category | provision_type | purpose
            treatment  | treatment       |          | deny           |
            named      | treatment       |          | deny           | HRESCH
            category   | treatment       | research | deny           |
            everything | patient-privacy |          | deny           |
            payment    | patient-privacy |          | deny           | HPAYMT
            shared     | patient-privacy |          | permit         |
            local_no   | LOCAL           |          | deny           |
            local_what | LOCAL           |          |                |
            directive  | adr             | dnr      | deny           |
        """)
    )
    assert found == {
        "named": "consent", "category": "consent", "everything": "consent", "local_no": "consent",
        "local_what": "consent_unclear",
    }  # fmt: skip


def test_a_flag_that_asks_for_no_contact_keeps_off(behind):
    """By its words, until it is inactive or over; other flags are none of ours."""
    found = behind(
        flag="""
            patient_id | status           | code_text      | code_display        | period_start | period_end
            text       | active           | Do not contact |                     |              |
            display    | active           |                | No research contact |              |
            no_status  |                  | do not contact |                     |              |
            inactive   | inactive         | do not contact |                     |              |
            mistake    | entered-in-error | do not contact |                     |              |
            over       | active           | do not contact |                     |              | 2026-11-19
            last_day   | active           | do not contact |                     |              | 2026-11-20
            later      | active           | do not contact |                     | 2026-11-21   |
            isolation  | active           | isolation      |                     |              |
        """
    )
    assert found == dict.fromkeys(("text", "display", "no_status", "last_day"), "do_not_contact")


def test_a_consent_or_flag_of_nobody_changes_nothing(behind):
    """Its patient is not named; what it says cannot be turned against anybody."""
    found = behind(
        patient="patient_id\nsomebody",
        consent="id | status | scope | level | provision_type\nc | active | research | 1 | deny",
        flag="id | status | code_text\nf | active | do not contact",
    )
    assert found == {}
