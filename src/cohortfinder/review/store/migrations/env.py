"""What Alembic runs: the migrations, in the transaction of the connection that it is given."""

from alembic import context

from cohortfinder.review.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
