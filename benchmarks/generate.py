"""Make synthetic patients (Synthea) as FHIR R4 NDJSON: `python -m benchmarks.generate [PATIENTS]`."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DATA = Path(__file__).parent / "data"
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>benchmark</groupId><artifactId>patients</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.mitre.synthea</groupId><artifactId>synthea</artifactId><version>3.3.0</version></dependency>
  </dependencies>
</project>
"""
TYPES = (
    "Patient,Observation,Condition,MedicationRequest,Medication,MedicationAdministration,"
    "Procedure,Immunization,Encounter,AllergyIntolerance"
)


def generate(patients: int, seed: int = 7) -> Path:
    """Write the patients into benchmarks/data/fhir in place of those there, and return that folder.

    About 5 minutes for 1,000.
    """
    for tool in ("mvn", "java"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is missing; install Maven and a Java of at least 11 to make the patients")
    DATA.mkdir(exist_ok=True)
    # Synthea appends to the files that it finds, so each run has a folder of its own
    with tempfile.TemporaryDirectory(dir=DATA, prefix="making-") as scratch:
        made = _run_synthea(Path(scratch), patients, seed)
        shutil.rmtree(DATA / "fhir", ignore_errors=True)
        made.rename(DATA / "fhir")
    return DATA / "fhir"


def _run_synthea(folder: Path, patients: int, seed: int) -> Path:
    (folder / "pom.xml").write_text(POM)
    command = ["mvn", "-q", "-B", "dependency:build-classpath", "-Dmdep.outputFile=classpath.txt"]
    subprocess.run(command, cwd=folder, check=True)
    classpath = (folder / "classpath.txt").read_text().strip()
    options = ["-s", str(seed), "-cs", str(seed), "-p", str(patients), "-r", "20261101", "-e", "20261101"]
    settings = {
        "fhir.bulk_data": "true",
        "baseDirectory": str(folder / "made"),
        "hospital.fhir.export": "false",
        "practitioner.fhir.export": "false",
        "fhir.included_resources": TYPES,
    }
    exporter = [f"--exporter.{name}={value}" for name, value in settings.items()]
    subprocess.run(
        ["java", "-Xmx4g", "-cp", classpath, "App", *options, *exporter, "Massachusetts"], cwd=folder, check=True
    )
    return folder / "made" / "fhir"


if __name__ == "__main__":
    print(generate(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
