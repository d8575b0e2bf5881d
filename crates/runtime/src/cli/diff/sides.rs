//! Reads the two sides that the arguments of `diff` name.

use std::path::{Path, PathBuf};

use tokenward_pdp::side::Side;

use super::super::failure::Failure;
use super::super::output;
use super::super::settings::ConfigArg;
use super::super::side::{
    self, Ancestry, Command, Refused, Spec, Within, config_of, is_path, is_range, refuse_errors,
};
use super::args::Args;
use crate::git::Commit;

/// Both sides as the command line names them.
struct Named {
    old: Spec,
    /// The new side; `None` for the current policy of the configuration.
    new: Option<Spec>,
}

/// Reads both sides. A side with errors under its own configuration is refused, and so are two sides without anything to compare.
pub(super) fn read(args: &Args) -> Result<(Side, Side), Refused> {
    let is_git = |text: &String| !is_path(text);
    let within = if is_git(&args.old) || args.new.as_ref().is_some_and(is_git) {
        let given = args.new.as_deref().or(Some(&args.old)).map(Path::new);
        Within::discover(&args.config, given.filter(|path| path.is_dir()))?
    } else {
        None
    };
    let within = within.as_ref();
    let named = named(args, within)?;
    read_named(&named, within, (&args.config, args.old_config.as_deref()))
}

fn read_named(
    named: &Named,
    within: Option<&Within>,
    (config, old_config): (&ConfigArg, Option<&Path>),
) -> Result<(Side, Side), Refused> {
    let policies = config.or_default()?.policies;
    if let (Spec::Revision(old), Some(within)) = (&named.old, within) {
        let new = match &named.new {
            Some(Spec::Revision(new)) => Some(new.clone()),
            Some(Spec::Here(path)) => head_of(path, within)?,
            None => head_of(&policies, within)?,
        };
        if let Some(new) = new {
            within.check_ancestry(old, &new, Ancestry::ContainsOrPrecedes)?;
        }
    }
    let shared = shared(named, within)?;
    let command = Command {
        config,
        old_config,
        directory: shared.as_deref(),
    };
    let old = match &named.old {
        Spec::Revision(commit) => side::at(Within::required(within)?, commit, &command)?,
        Spec::Here(path) => side::here(path, config_of(path, &command)?)?,
    };
    let old = refuse_errors(old, None)?;
    let new = match &named.new {
        Some(Spec::Revision(commit)) => side::at(Within::required(within)?, commit, &command)?,
        Some(Spec::Here(path)) => here(path, within, &command)?,
        None => here(&policies, within, &command)?,
    };
    let new = refuse_errors(new, Some(&old))?;
    if old.is_empty() && new.is_empty() {
        return Err(Failure::Usage(format!(
            "neither {} nor {} has policy files or tokens, so nothing was compared; name the directories of the policies",
            old.name, new.name
        ))
        .into());
    }
    Ok((old, new))
}

/// Reads a base, and the policy at a place as the new side. `old` names the base as the first argument of `diff` does, but for ranges.
pub(in super::super) fn with_base(
    old: &str,
    place: &Path,
    (config, old_config): (&ConfigArg, Option<&Path>),
) -> Result<(Side, Side), Refused> {
    let within = if is_path(old) {
        None
    } else {
        Within::discover(config, Some(place).filter(|place| place.is_dir()))?
    };
    let within = within.as_ref();
    if is_range(old) {
        return Err(Failure::Usage(format!(
            "`{old}` names two sides; name only the base: a directory, a compiled policy or a revision"
        ))
        .into());
    }
    let named = Named {
        old: Spec::parse(old, within)?,
        new: Some(Spec::Here(place.to_owned())),
    };
    read_named(&named, within, (config, old_config))
}

fn here(path: &Path, within: Option<&Within>, command: &Command<'_>) -> Result<Side, Refused> {
    if let Some(within) = within {
        within.refuse_linked_config()?;
    }
    side::here(path, command.config.written()?)
}

/// The commit of the work tree, if the path is in the work tree.
fn head_of(path: &Path, within: &Within) -> Result<Option<Commit>, Failure> {
    let is_here = within.has(path)?;
    is_here.then(|| within.head()).transpose()
}

/// The directory that the command line names for one side, which is also used in the revision of the other side.
fn shared(named: &Named, within: Option<&Within>) -> Result<Option<PathBuf>, Failure> {
    let path = match (&named.old, &named.new) {
        (Spec::Revision(_), Some(Spec::Here(path))) | (Spec::Here(path), Some(Spec::Revision(_))) => path,
        _ => return Ok(None),
    };
    match within {
        Some(within) if path.is_dir() && within.has(path)? => Ok(Some(path.clone())),
        _ => Ok(None),
    }
}

fn named(args: &Args, within: Option<&Within>) -> Result<Named, Failure> {
    if let Some(new) = &args.new {
        if is_range(&args.old) || is_range(new) {
            return Err(Failure::Usage(format!(
                "`{} {new}` names more than two sides; write `tokenward diff OLD NEW`, or a single range",
                args.old
            )));
        }
        return Ok(Named {
            old: Spec::parse(&args.old, within)?,
            new: Some(Spec::parse(new, within)?),
        });
    }
    if let Some((one, other)) = args.old.split_once("...").filter(|_| !is_path(&args.old)) {
        return since_merge_base(one, other, within);
    }
    match args.old.split_once("..").filter(|_| !is_path(&args.old)) {
        Some((old, new)) if !old.is_empty() => {
            let repository = &Within::required(within)?.repository;
            let new = Some(new).filter(|new| !new.is_empty());
            Ok(Named {
                old: Spec::Revision(repository.resolve(old)?),
                new: new.map(|new| repository.resolve(new)).transpose()?.map(Spec::Revision),
            })
        }
        _ => Err(Failure::Usage(
            "name two policies, as in `tokenward diff OLD NEW`, or two revisions, as in `tokenward diff main..HEAD`"
                .to_owned(),
        )),
    }
}

/// Reads `A...B`: compares B, or the work tree, with the merge base, as git does.
fn since_merge_base(one: &str, other: &str, within: Option<&Within>) -> Result<Named, Failure> {
    if one.is_empty() {
        return Err(Failure::Usage(
            "name the revision to compare with before `...`, as in `tokenward diff main...HEAD`".to_owned(),
        ));
    }
    let repository = &Within::required(within)?.repository;
    let with = repository.resolve(if other.is_empty() { "HEAD" } else { other })?;
    let mut base = repository.merge_base(&repository.resolve(one)?, &with)?;
    base.name = base.id.to_string();
    output::note(&format!(
        "comparing with {}, the merge base of `{one}` and `{}`; later changes of `{one}` are not compared",
        base.name, with.name
    ));
    Ok(Named {
        old: Spec::Revision(base),
        new: (!other.is_empty()).then_some(Spec::Revision(with)),
    })
}
