//! Bytes to a program, or the reason why not.

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::{
    DecodeError, ReadError, Signers,
    bytes::{Reader, utf8},
    encode,
    format::{FORMAT, Section},
    header::Header,
    regexp, version,
};
use crate::{
    ast::{Effect, Operator},
    call_limits::{CallLimits, Rate},
    ir::{
        Automaton, Code, Constraints, LineDigest, LineId, Lines, Matcher, MatcherId, NodeTest, ParamTest,
        Place, Program, Rule, RuleId, Rules, Tables, Token, TokenId, UrlId, UrlMatcher, ValueMatcher, Whole,
        arena_index, has_mark,
    },
    json::{Kinds, Path, Step},
    method::MethodSet,
    policy::{Attributes, Users},
    tokens::{KeyId, Seal, Version},
    units,
};

/// An artifact that was read.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// The program, unbound.
    pub program: Program,
    /// The format of its bytes.
    pub format: u16,
    /// The version of the language that its lines were compiled by.
    pub language: u16,
    /// The key that it says it was signed with. It was checked only if the [`Signers`] are keys.
    pub signer: Option<KeyId>,
}

/// Reads an artifact that one of these signers vouches for. The signature is checked first: bytes that it does not cover are
/// neither hashed nor decoded.
///
/// # Errors
/// See [`ReadError`].
pub fn read(bytes: &[u8], signers: &Signers) -> Result<Artifact, ReadError> {
    let (header, sections) = Header::read(bytes)?;
    header.vouched_for(signers)?;
    header.fits(sections)?;
    Ok(Artifact {
        program: program(sections)?,
        format: FORMAT,
        language: header.language,
        signer: header.signature.map(|signature| signature.key),
    })
}

/// Decodes an artifact to its unbound program, without checking its signature.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(bytes: &[u8]) -> Result<Program, DecodeError> {
    let (header, sections) = Header::read(bytes)?;
    header.fits(sections)?;
    program(sections)
}

/// For fuzzing: what [`decode`] does after its checks, which a fuzzer cannot pass by chance.
///
/// # Errors
/// See [`DecodeError`].
#[doc(hidden)]
pub fn decode_sections(sections: &[u8]) -> Result<Program, DecodeError> {
    program(sections)
}

fn program(content: &[u8]) -> Result<Program, DecodeError> {
    let mut reader = Reader(content);
    let lines = section(&mut reader, Section::Lines)?;
    let values = section(&mut reader, Section::Values)?;
    let urls = section(&mut reader, Section::Urls)?;
    let mut names = section(&mut reader, Section::Names)?;
    let mut paths = section(&mut reader, Section::Paths)?;
    let mut asked = section(&mut reader, Section::Constraints)?;
    let mut rules = section(&mut reader, Section::Rules)?;
    let mut tokens = section(&mut reader, Section::Tokens)?;
    reader.end()?;

    // Tables first, then everything that refers to them, so that each index is checked as it is read.
    let lines_read = self::lines(lines)?;
    let values_read = coded(values, 1, value)?;
    let urls_read = coded(urls, 2, url)?;
    let names_read = names.list(4, |reader| reader.str().map(Arc::from))?;
    let paths_read = paths.list(4, |reader| path(reader).map(Arc::new))?;
    let known = Known {
        names: &names_read,
        paths: &paths_read,
        values: values_read.len(),
    };
    let constraints_read = asked.list(13, |reader| constraints(reader, known).map(Arc::new))?;
    let limits = Limits {
        lines: lines_read.places().len(),
        urls: urls_read.len(),
    };
    let rules_read = rules.list(14, |reader| rule(reader, limits, &constraints_read))?;
    let tokens_read = tokens.list(78, |reader| token(reader, &rules_read))?;
    // Bytes after the last item of a section would be content that nobody reads.
    for section in [names, paths, asked, rules, tokens] {
        section.end()?;
    }
    let program = Program {
        by_secret: Arc::new(by_secret(&tokens_read)?),
        tokens: Arc::new(tokens_read),
        tables: Tables {
            lines: Arc::new(lines_read),
            rules: Arc::new(rules_read),
            values: Arc::new(values_read),
            urls: Arc::new(urls_read),
            ..Tables::default()
        },
        digest: String::new(),
        base: None,
        layout: None,
        parts: None,
    };
    Ok(Program {
        digest: version::digest(&program),
        ..program
    })
}

fn by_secret(tokens: &[Token]) -> Result<HashMap<[u8; 32], TokenId>, DecodeError> {
    let mut by_secret = HashMap::with_capacity(tokens.len());
    for (at, token) in tokens.iter().enumerate() {
        let id = TokenId(arena_index(at));
        let hashes = std::iter::once(token.secret_hash).chain(token.previous.map(|(hash, _)| hash));
        for hash in hashes {
            if by_secret.insert(hash, id).is_some() {
                return Err(DecodeError::Damaged("two tokens with the same secret"));
            }
        }
    }
    Ok(by_secret)
}

fn section<'b>(reader: &mut Reader<'b>, tag: Section) -> Result<Reader<'b>, DecodeError> {
    if reader.u32()? != tag as u32 {
        return Err(DecodeError::Damaged("a section in the wrong place"));
    }
    let length = reader.u64()?;
    reader
        .take(usize::try_from(length).unwrap_or(usize::MAX))
        .map(Reader)
}

fn lines(mut reader: Reader<'_>) -> Result<Lines, DecodeError> {
    let files = reader.list(4, Reader::text)?;
    let places = reader.list(24, |reader| {
        Ok(Place {
            end: usize::try_from(reader.u64()?).unwrap_or(usize::MAX),
            file: reader.u32()?,
            number: reader.u32()?,
            digest: LineDigest(reader.array()?),
        })
    })?;
    let texts = utf8(reader.0)?.to_owned();
    Lines::new(texts, files, places).ok_or(DecodeError::Damaged("a line without a position"))
}

/// A section with code in it. It is copied once, and all its code is part of the copy.
fn coded<T>(
    section: Reader<'_>,
    least: usize,
    mut read: impl FnMut(&mut Reader<'_>, &Arc<[u8]>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let bytes = Arc::from(section.0);
    let mut reader = Reader(&bytes);
    let items = reader.list(least, |reader| read(reader, &bytes))?;
    reader.end()?;
    Ok(items)
}

fn code(reader: &mut Reader<'_>, section: &Arc<[u8]>) -> Result<Code, DecodeError> {
    let length = reader.bytes()?.len();
    let end = section.len() - reader.0.len();
    Code::within(section, end - length..end).ok_or(DecodeError::Damaged("code that is not a glob"))
}

fn matcher(reader: &mut Reader<'_>, section: &Arc<[u8]>) -> Result<Matcher, DecodeError> {
    match reader.u8()? {
        encode::NOTHING => Ok(Matcher::Nothing),
        encode::EVERYTHING => Ok(Matcher::Everything),
        encode::GLOB => code(reader, section).map(Matcher::Glob),
        encode::AUTOMATON => {
            let automaton = Automaton::from_bytes(reader.bytes()?);
            automaton
                .map(Matcher::Automaton)
                .ok_or(DecodeError::Damaged("tables that are not an automaton"))
        }
        _ => Err(DecodeError::Damaged("an unknown kind of matcher")),
    }
}

fn value(reader: &mut Reader<'_>, section: &Arc<[u8]>) -> Result<ValueMatcher, DecodeError> {
    if reader.0.first() == Some(&encode::OF_BASE) {
        reader.u8()?;
        let hir = regexp::decode(reader)?;
        // Any other tree would match nothing until it is bound, for no reason.
        return match has_mark(&hir) {
            true => Ok(ValueMatcher::Unbound(Box::new(hir))),
            false => Err(DecodeError::Damaged(
                "a value of the base URL that does not name it",
            )),
        };
    }
    matcher(reader, section).map(ValueMatcher::Fixed)
}

fn url(reader: &mut Reader<'_>, section: &Arc<[u8]>) -> Result<UrlMatcher, DecodeError> {
    match reader.u8()? {
        encode::BELOW => matcher(reader, section).map(UrlMatcher::Below),
        encode::WHOLE_TREE => {
            regexp::decode(reader).map(|hir| UrlMatcher::Unbound(Whole::Tree(Box::new(hir))))
        }
        encode::WHOLE_GLOB => code(reader, section).map(|code| UrlMatcher::Unbound(Whole::Glob(code))),
        _ => Err(DecodeError::Damaged("an unknown kind of URL matcher")),
    }
}

/// How many of each there are to refer to.
#[derive(Clone, Copy)]
struct Limits {
    lines: usize,
    urls: usize,
}

/// What constraints refer to.
#[derive(Clone, Copy)]
struct Known<'r> {
    names: &'r [Arc<str>],
    paths: &'r [Arc<Path>],
    values: usize,
}

/// One of the things that a number must name.
fn named<'r, T>(reader: &mut Reader<'_>, things: &'r [T]) -> Result<&'r T, DecodeError> {
    things
        .get(reader.u32()? as usize)
        .ok_or(DecodeError::Damaged("a reference without a target"))
}

/// A number that must name one of `count` things.
fn reference(reader: &mut Reader<'_>, count: usize) -> Result<u32, DecodeError> {
    let id = reader.u32()?;
    if (id as usize) < count {
        Ok(id)
    } else {
        Err(DecodeError::Damaged("a reference without a target"))
    }
}

fn constraints(reader: &mut Reader<'_>, known: Known<'_>) -> Result<Constraints, DecodeError> {
    Ok(Constraints {
        params: reader.list(9, |reader| {
            Ok(ParamTest {
                name: Arc::clone(named(reader, known.names)?),
                operator: operator(reader)?,
                value: MatcherId(reference(reader, known.values)?),
            })
        })?,
        params_only: reader.bool()?,
        nodes: reader.list(10, |reader| {
            Ok(NodeTest {
                path: Arc::clone(named(reader, known.paths)?),
                kinds: kinds(reader)?,
                operator: operator(reader)?,
                value: MatcherId(reference(reader, known.values)?),
            })
        })?,
        // Shared, like the paths of nodes: four bytes could otherwise refer to a text of any length.
        members: reader.list(4, |reader| named(reader, known.paths).map(Arc::clone))?,
    })
}

fn rule(
    reader: &mut Reader<'_>,
    limits: Limits,
    constraints: &[Arc<Constraints>],
) -> Result<Rule, DecodeError> {
    Ok(Rule {
        line: LineId(reference(reader, limits.lines)?),
        effect: if reader.bool()? {
            Effect::Forbid
        } else {
            Effect::Permit
        },
        methods: MethodSet::from_bits(reader.u8()?),
        url: UrlId(reference(reader, limits.urls)?),
        constraints: match reader.u32()? {
            encode::NONE => None,
            at => Some(
                constraints
                    .get(at as usize)
                    .map(Arc::clone)
                    .ok_or(DecodeError::Damaged("a reference without a target"))?,
            ),
        },
    })
}

fn operator(reader: &mut Reader<'_>) -> Result<Operator, DecodeError> {
    Operator::numbered(reader.u8()?).ok_or(DecodeError::Damaged("an unknown operator"))
}

/// The list of types; 0 for none.
fn kinds(reader: &mut Reader<'_>) -> Result<Option<Kinds>, DecodeError> {
    match reader.u8()? {
        0 => Ok(None),
        bits => Kinds::from_bits(bits)
            .map(Some)
            .ok_or(DecodeError::Damaged("an unknown JSON type")),
    }
}

fn path(reader: &mut Reader<'_>) -> Result<Path, DecodeError> {
    let steps = reader.list(1, |reader| match reader.u8()? {
        0 => Ok(Step::Each),
        1 => reader.text().map(Step::Name),
        _ => Err(DecodeError::Damaged("an unknown step of a path")),
    });
    steps.map(Path)
}

fn token(reader: &mut Reader<'_>, rules: &[Rule]) -> Result<Token, DecodeError> {
    // The fields in the order in which `encode` writes them.
    let attributes = Attributes {
        name: reader.text()?,
        users: reader
            .option(|reader| reader.list(4, Reader::text))?
            .map_or(Users::Any, Users::Named),
        secret_hash: reader.array()?,
        previous: reader.option(|reader| Ok((reader.array()?, reader.i64()?)))?,
        expires: reader.option(Reader::i64)?,
        allowed_ips: reader.list(4, |reader| {
            reader
                .text()?
                .parse()
                .map_err(|_| DecodeError::Damaged("a network that does not parse"))
        })?,
        on_behalf_of: reader.list(4, Reader::text)?,
        revoked: reader.bool()?,
        owner: reader.option(Reader::text)?,
        description: reader.option(Reader::text)?,
        mint: reader.bool()?,
        escalate: reader.bool()?,
        limits: call_limits(reader)?,
        unrestricted: reader.bool()?,
        lint_allow: reader.list(4, |reader| {
            reader
                .text()?
                .parse()
                .map_err(|_| DecodeError::Damaged("a code that does not exist"))
        })?,
        secret_sealed: reader.bool()?,
        seal: reader.option(|reader| {
            Ok(Seal {
                version: Version::numbered(reader.u8()?)
                    .ok_or(DecodeError::Damaged("a seal of an unknown version"))?,
                key: reader.array()?,
                signature: reader.array()?,
            })
        })?,
    };
    // Rules of the other effect are refused, so that a patched index cannot turn a forbid line into a permit line.
    Ok(Token {
        attributes,
        forbids: ids(reader, rules, Effect::Forbid)?,
        permits: ids(reader, rules, Effect::Permit)?,
    })
}

fn call_limits(reader: &mut Reader<'_>) -> Result<CallLimits, DecodeError> {
    let damaged = || DecodeError::Damaged("limits that a policy cannot have");
    let count = |reader: &mut Reader<'_>| CallLimits::count(reader.u32()?.into()).ok_or_else(damaged);
    let limits = CallLimits {
        rate: reader.option(|reader| {
            let (calls, milliseconds) = (reader.u32()?, reader.u64()?);
            Rate::new(calls, Duration::from_millis(milliseconds)).ok_or_else(damaged)
        })?,
        burst: reader.option(count)?,
        concurrent: reader.option(count)?,
        max_body: reader.option(Reader::u64)?,
    };
    let in_range = limits
        .max_body
        .is_none_or(|size| (1..=units::LARGEST_SIZE).contains(&size));
    match limits.check() {
        Ok(()) if in_range => Ok(limits),
        _ => Err(damaged()),
    }
}

fn ids(reader: &mut Reader<'_>, rules: &[Rule], effect: Effect) -> Result<Rules, DecodeError> {
    let mut list = || {
        reader.list(4, |reader| {
            let id = reader.u32()?;
            match rules.get(id as usize) {
                Some(rule) if rule.effect == effect => Ok(RuleId(id)),
                _ => Err(DecodeError::Damaged("a reference without a target")),
            }
        })
    };
    Ok(Rules {
        included: list()?,
        own: list()?,
    })
}
