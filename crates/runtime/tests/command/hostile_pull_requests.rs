//! Pull requests that try to get more past `tokenward compile --check --no-new-access`. Each test is an attack in a real
//! repository, named after what the pull request does; the command is the one that `docs/diff.md` tells CI to run.
//!
//! | what the gate promises | tests |
//! | --- | --- |
//! | Credentials are access | `credentials` |
//! | Users, times, addresses, rights are access | `attributes` |
//! | A side is one revision with its own configuration, policy, invariants and reviews | `sides` |
//! | A name has one meaning; git's surroundings change nothing; the new side contains the base | `revisions` |
//! | Links and submodules are refused on both sides | `links` |
//! | Loosened settings are access; lines are compared under both configurations | `configuration` |
//! | Invariants of the base hold | `invariants` |
//! | Lifted forbid lines, unused sets, reviews | `lines_and_reviews` |
//! | What only an upgrade gives is access | `rereadings` |
//! | Exceptions from warnings hide no access | `exceptions` |
//! | A baseline accepts no new access | `baselines` |
//! | `diff` shows the same | `shown` |

mod attributes;
mod baselines;
mod configuration;
mod credentials;
mod exceptions;
mod invariants;
mod lines_and_reviews;
mod links;
mod repository;
mod rereadings;
mod revisions;
mod shown;
mod sides;
