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
    """Write the patients into benchmarks/data/fhir and return that folder; about 5 minutes for 1,000."""
    for tool in ("mvn", "java"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is missing; install Maven and a Java of at least 11 to make the patients")
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "pom.xml").write_text(POM)
        command = ["mvn", "-q", "-B", "dependency:build-classpath", "-Dmdep.outputFile=classpath.txt"]
        subprocess.run(command, cwd=scratch, check=True)
        classpath = (Path(scratch) / "classpath.txt").read_text().strip()
        options = ["-s", str(seed), "-cs", str(seed), "-p", str(patients), "-r", "20261101", "-e", "20261101"]
        settings = {
            "fhir.bulk_data": "true",
            "baseDirectory": str(DATA.resolve()),
            "hospital.fhir.export": "false",
            "practitioner.fhir.export": "false",
            "fhir.included_resources": TYPES,
        }
        exporter = [part for name, value in settings.items() for part in (f"--exporter.{name}={value}",)]
        subprocess.run(
            ["java", "-Xmx4g", "-cp", classpath, "App", *options, *exporter, "Massachusetts"], cwd=scratch, check=True
        )
    return DATA / "fhir"


if __name__ == "__main__":
    print(generate(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
