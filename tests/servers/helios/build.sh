#!/usr/bin/env bash
# Builds the FHIR server Helios (crates.io, MIT) into the folder that is given, outside the repository: once, in minutes to half an hour.
# Its search parameters are HL7's, taken from a jar that the HAPI of these tests has brought into the local Maven repository.
set -euo pipefail
version=0.2.7
folder=$1
mkdir -p "$folder"
if [[ ! -x $folder/bin/hfs ]]; then
  CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR="$folder/target" nice -n 19 cargo install helios-hfs --version "$version" --debug \
    --no-default-features --features R4,sqlite --root "$folder" -j "${HELIOS_JOBS:-1}"
  rm -rf "$folder/target"
fi
if [[ ! -s $folder/data/search-parameters-r4.json ]]; then
  (cd "$(dirname "$0")/../hapi" && mvn -q -B dependency:resolve > /dev/null)
  jar=$(find "$HOME/.m2/repository/ca/uhn/hapi/fhir/hapi-fhir-validation-resources-r4" -name '*.jar' | sort | tail -n 1)
  mkdir -p "$folder/data"
  unzip -p "$jar" org/hl7/fhir/r4/model/sp/search-parameters.json > "$folder/data/search-parameters-r4.json.part"
  mv "$folder/data/search-parameters-r4.json.part" "$folder/data/search-parameters-r4.json"
fi
