"""Parts of the patients, evaluated by workers on other machines."""
