"""The coordinators' web application: published lists and what people say of them, to pages."""
