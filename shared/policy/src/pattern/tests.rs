//! The pattern engine against facts of Oathkeeper's own, and what is promised beyond it.

mod facts;
mod generated;
mod globs;
mod hints;
mod limits;
mod refusals;
mod strict;
