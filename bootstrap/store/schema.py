"""The tables. One schema for SQLite and PostgreSQL, with a number of its own.

What people said and what was decided is only ever added: rows of `labels`, `queries`, `decisions`, `rounds`,
`models`, `candidates`, `certificates`, `stage_changes`, `class_lists` and `trail` are never changed, but for
the columns named at each. What changes stands apart: `slots` (who holds what), `standing` (which label
counts), `reviewers`. Times are seconds since the epoch, by the database's clock; JSON is text.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)

__all__ = [
    "SCHEMA_VERSION",
    "aliases",
    "blocks",
    "candidates",
    "certificates",
    "claims",
    "class_lists",
    "decisions",
    "is_asked",
    "items",
    "labels",
    "loops",
    "members",
    "metadata",
    "models",
    "queries",
    "reviewers",
    "rounds",
    "slots",
    "stage_changes",
    "standing",
    "store",
    "trail",
]

#: Goes up by one with every change of a table; `bootstrap-labels db upgrade` brings an older store here.
SCHEMA_VERSION = 1

metadata = MetaData()

#: SQLite numbers rows by itself only in an INTEGER key.
_Id = BigInteger().with_variant(Integer, "sqlite")

#: One row: what this store is, and the head of its trail, which every writer locks first.
store = Table(
    "store",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("schema_version", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("trail_head", Text, nullable=False),  # the hash of the last entry; changes
    Column("trail_length", _Id, nullable=False),  # changes
)

loops = Table(
    "loops",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("settings", Text, nullable=False),  # JSON: what must be the same when it is resumed
    Column("entropy", Text, nullable=False),  # a whole number: seeds everything that is drawn
    Column("key", Text, nullable=False),  # hex: of the held-out draw
    Column("created_at", Float, nullable=False),
    Column("class_version", Integer, nullable=False),  # of `class_lists`; changes
    Column("taken_up_to", _Id, nullable=False),  # the last label that the loop has read; changes
)

#: Items belong to the store: several loops may ask about the same one.
items = Table(
    "items",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("key", Text, nullable=False, unique=True),  # hash of the content: all that stays after erasure
    Column("content", Text),  # what decides which items are the same; NULL once erased
    Column("payload", Text),  # JSON: what people see; NULL where the features are that, or once erased
    Column("added_at", Float, nullable=False),
    Column("erased_at", Float),
)

#: The rows of one loop's pool.
members = Table(
    "members",
    metadata,
    Column("loop_id", ForeignKey("loops.id"), primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("item_id", ForeignKey("items.id"), nullable=False),
    Column("name", Text, nullable=False),  # the id in this loop; a hash of it once erased
    Column("home", Integer, nullable=False),  # bootstrap.pool.Place before anything was asked
    Column("turn", Float),  # when its random turn comes; NULL where no turn is random
    Column("block_id", ForeignKey("blocks.id")),  # where its features are; NULL where the payload is that
    Column("at", Integer),  # which row of the block
    Index("members_by_item", "item_id"),
    Index("members_by_name", "loop_id", "name"),
)

#: Further ids of an item: those of copies.
aliases = Table(
    "aliases",
    metadata,
    Column("loop_id", ForeignKey("loops.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("row", Integer, nullable=False),
)

#: Features, some thousand rows at a time.
blocks = Table(
    "blocks",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("kind", Text, nullable=False),  # dense, csr, frame or objects
    Column("n_rows", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),  # rows are blanked by erasure
)

#: One ask about one item by one loop, however many people it goes to.
queries = Table(
    "queries",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),  # from 1, in the order of the trail
    Column("token", Text, nullable=False, unique=True),
    Column("loop_id", ForeignKey("loops.id"), nullable=False),
    Column("item_id", ForeignKey("items.id"), nullable=False),
    Column("row", Integer, nullable=False),
    Column("batch", Integer, nullable=False),
    Column("position", Integer, nullable=False),  # in the batch
    Column("round", Integer, nullable=False),
    Column("kind", Text, nullable=False),  # bootstrap.records.Source, or trap or adjudication
    Column("known", Text),  # JSON: the right answer, of a trap
    Column("usefulness", Float, nullable=False),  # larger comes sooner
    Column("deadline", Float),  # the earliest comes first of all
    Column("overlap", Integer, nullable=False),  # how many different people answer
    Column("class_version", Integer, nullable=False),
    Column("published_at", Float, nullable=False),
    Column("state", Text, nullable=False),  # open, settled or withdrawn; changes
    Index("queries_by_item", "item_id"),
)
#: Said in these words everywhere, or SQLite does not use the index.
is_asked = queries.c.state == literal_column("'open'")
Index("queries_open", queries.c.loop_id, sqlite_where=is_asked, postgresql_where=is_asked)

#: Logged before the ask: with what chance the item was asked about, and what the live model said of it.
decisions = Table(
    "decisions",
    metadata,
    Column("query_id", ForeignKey("queries.id"), primary_key=True),
    Column("loop_id", ForeignKey("loops.id"), nullable=False),
    Column("probability", Float),  # NULL: a strategy picked it, so that it is evidence of nothing
    Column("model", Integer),  # number of the live model
    Column("predicted", Text),  # JSON
    Column("confidence", Float),
    Column("alone", Boolean),  # whether the model would have decided it alone
    Column("decided_at", Float, nullable=False),
)

#: One place for one person's answer to one query: `overlap` of them for each. Every column changes.
slots = Table(
    "slots",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("query_id", ForeignKey("queries.id"), nullable=False),
    Column("loop_id", ForeignKey("loops.id"), nullable=False),
    Column("item_id", ForeignKey("items.id"), nullable=False),
    Column("for_adjudicator", Boolean, nullable=False),
    Column("alone", Boolean, nullable=False),  # a trap: beside another question it would show
    Column("deadline", Float, nullable=False),  # a time far away where there is none, so that it sorts last
    Column("usefulness", Float, nullable=False),
    Column("is_open", Boolean, nullable=False),  # false once answered or withdrawn
    Column("reviewer", Text),  # who holds it, or has answered it
    Column("token", Text),  # of the present lease
    Column("leased_at", Float),
    Column("expires_at", Float),
    UniqueConstraint("query_id", "reviewer", name="never_the_same_person_twice"),
    Index("slots_by_item", "item_id"),
)
#: Only open ones: the cost of a claim does not grow with what is labeled already.
Index(
    "slots_in_order",
    slots.c.for_adjudicator,
    slots.c.deadline,
    slots.c.usefulness.desc(),
    slots.c.id,
    sqlite_where=text("is_open = 1"),
    postgresql_where=slots.c.is_open,
)
Index(
    "slots_held",
    slots.c.reviewer,
    sqlite_where=text("is_open = 1 AND reviewer IS NOT NULL"),
    postgresql_where=slots.c.is_open & slots.c.reviewer.is_not(None),
)

#: Every hand-out there ever was, so that a late answer still finds its query.
claims = Table(
    "claims",
    metadata,
    Column("token", Text, primary_key=True),
    Column("slot_id", ForeignKey("slots.id"), nullable=False),
    Column("query_id", ForeignKey("queries.id"), nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("claimed_at", Float, nullable=False),
    sqlite_with_rowid=False,  # a page less to write for every row
)

#: Every answer, extra and late ones too, and every undoing of one.
labels = Table(
    "labels",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),  # from 1, in the order of the trail
    Column("loop_id", ForeignKey("loops.id"), nullable=False),
    Column("item_id", ForeignKey("items.id"), nullable=False),
    Column("row", Integer, nullable=False),
    Column("query_id", ForeignKey("queries.id")),  # NULL: a label that existed before it was asked for
    Column("token", Text),  # of the lease under which it was given
    Column("label", Text),  # JSON; NULL for SKIP and for undoing
    Column("reason", Text),  # why somebody could not tell; NULL once erased
    Column("source", Text, nullable=False),  # bootstrap.records.Source, or trap or adjudication
    Column("by", Text),
    Column("round", Integer, nullable=False),
    Column("shown_at", Float),
    Column("touched_at", Float),  # first touched by the person; of an imported label, what the file says
    Column("at", Float, nullable=False),  # answered
    Column("blind", Boolean, nullable=False),
    Column("extra", Boolean, nullable=False),  # kept beside the label that counts
    Column("adjudicates", Boolean, nullable=False),  # settles a disagreement, or what two could not tell
    Column("suggestion", Text),  # JSON: the class that was in view, if any
    Column("model", Integer),  # number of the model that suggested it
    Column("class_version", Integer, nullable=False),
    Column("undoes", ForeignKey("labels.id")),  # the label that this row takes back
    Index("labels_by_item", "item_id", "loop_id"),  # those of a query, too: each index costs every answer
)

Index(
    "labels_undoing",
    labels.c.undoes,
    sqlite_where=labels.c.undoes.is_not(None),
    postgresql_where=labels.c.undoes.is_not(None),
)

#: Which label counts: one for each item, loop and opinion. Its key is why nothing is overwritten.
standing = Table(
    "standing",
    metadata,
    Column("loop_id", ForeignKey("loops.id"), primary_key=True),
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("opinion", Text, primary_key=True),  # first or second
    Column("label_id", ForeignKey("labels.id"), nullable=False),
    Column("skip", Boolean, nullable=False),  # a SKIP gives way to a class
    sqlite_with_rowid=False,  # a page less to write for every row
)

rounds = Table(
    "rounds",
    metadata,
    Column("loop_id", ForeignKey("loops.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("body", Text, nullable=False),  # JSON of bootstrap.records.Round
    Column("taken_up_to", _Id, nullable=False),  # labels that it has used
    Column("model", Integer),
    Column("class_version", Integer, nullable=False),
    Column("at", Float, nullable=False),
)

#: Every fit: enough to fit the same model again, and to see whether it is the same.
models = Table(
    "models",
    metadata,
    Column("loop_id", ForeignKey("loops.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("round", Integer, nullable=False),
    Column("estimator", Text, nullable=False),  # its repr, for people
    Column("n_trained", Integer, nullable=False),
    Column("training", LargeBinary, nullable=False),  # rows it was trained on, int64, zlib
    Column("packages", Text, nullable=False),  # JSON: name -> version
    Column("fingerprint", LargeBinary),  # probabilities for some fixed items, float64, zlib
    Column("at", Float, nullable=False),
)

candidates = Table(
    "candidates",
    metadata,
    Column("loop_id", ForeignKey("loops.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("model", Integer),  # NULL where registered by hand: it can't be fitted again
    Column("body", Text, nullable=False),  # JSON: name, round, n_trained, by_hand, delta, rungs
    Column("predictions", LargeBinary, nullable=False),  # what it says of every item that may be audited
    Column("class_version", Integer, nullable=False),
    Column("at", Float, nullable=False),
)

certificates = Table(
    "certificates",
    metadata,
    Column("loop_id", ForeignKey("loops.id"), primary_key=True),
    Column("candidate", Integer, primary_key=True),
    Column("review_rate", Float, primary_key=True),
    Column("body", Text, nullable=False),  # JSON of bootstrap.phaseout.Certificate, the evidence in it
    Column("class_version", Integer, nullable=False),
    Column("at", Float, nullable=False),
)

stage_changes = Table(
    "stage_changes",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("loop_id", ForeignKey("loops.id"), nullable=False),
    Column("from_rate", Float, nullable=False),
    Column("to_rate", Float, nullable=False),
    Column("candidate", Integer),
    Column("reason", Text, nullable=False),
    Column("by", Text),
    Column("at", Float, nullable=False),
)

class_lists = Table(
    "class_lists",
    metadata,
    Column("loop_id", ForeignKey("loops.id"), primary_key=True),
    Column("version", Integer, primary_key=True),  # from 1
    Column("classes", Text, nullable=False),  # JSON; null where the list is open
    Column("change", Text, nullable=False),  # JSON: what made it of the version before
    Column("by", Text),
    Column("at", Float, nullable=False),
)

#: Every column but the name changes.
reviewers = Table(
    "reviewers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("is_adjudicator", Boolean, nullable=False),
    Column("most_held", Integer, nullable=False),
    Column("added_at", Float, nullable=False),
    Column("removed_at", Float),
)

#: What was done, in the order in which it was done. Each entry holds the hash of the one before.
trail = Table(
    "trail",
    metadata,
    Column("seq", _Id, primary_key=True, autoincrement=False),  # from 1, without gaps
    Column("loop_id", ForeignKey("loops.id")),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),  # JSON: keys and hashes, never content
    Column("digest", Text, nullable=False),  # of the rows that it speaks of
    Column("at", Float, nullable=False),
    Column("hash", Text, nullable=False),
)
