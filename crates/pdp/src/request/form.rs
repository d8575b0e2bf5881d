//! Form bodies, which are read only to find forbidden fields.

use super::escape::decode_form;
use super::query::names_other_charset;
use super::rules::Rules;
use super::{Reason, Refusal};

/// Checks a whole `application/x-www-form-urlencoded` body for fields that would change the method or contain credentials. Servlets, Rails and Grape add its fields to the query's parameters.
///
/// Some servers treat `;` as a separator, so names are checked in both readings. Cost: linear.
///
/// # Errors
/// [`Reason::MethodParameter`], [`Reason::CredentialParameter`], and [`Reason::MalformedForm`] for a name that cannot
/// be decoded.
pub fn check_form(body: &[u8], rules: &Rules) -> Result<(), Refusal> {
    for pair in body.split(|byte| *byte == b'&') {
        check_name(pair, rules)?;
        for part in pair.split(|byte| *byte == b';').skip(1) {
            check_name(part, rules)?;
        }
    }
    Ok(())
}

fn check_name(pair: &[u8], rules: &Rules) -> Result<(), Refusal> {
    let mut halves = pair.splitn(2, |byte| *byte == b'=');
    let mut text = || String::from_utf8(decode_form(halves.next().unwrap_or_default()).ok()?).ok();
    let name = text().ok_or(Reason::MalformedForm)?;
    // A value that is not text does not name a charset.
    if names_other_charset(&name, &text().unwrap_or_default()) {
        return Err(Reason::EncodedBody.into());
    }
    if name.chars().any(char::is_control) {
        return Err(Reason::MalformedForm.into());
    }
    // A server that cuts at `;` reads a shorter first name.
    let cut = name.split(';').next().unwrap_or_default();
    match rules
        .refused_parameter(&name)
        .or_else(|| rules.refused_parameter(cut))
    {
        Some(refusal) => Err(refusal),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Product, Settings};
    use tokenward_compiler::BaseUrl;

    #[test]
    fn fields_are_looked_for_in_every_reading() {
        let base = BaseUrl::parse("http://a").unwrap();
        let rules = Rules::new(&Settings::new(base, Product::Gitlab)).unwrap();
        for (body, expected) in [
            (&b""[..], None),
            (b"a=1&b=%ff&method=x&x[_method]=1", None),
            (b"a=_method&b=1;c=2", None),
            (b"_method=DELETE", Some(Reason::MethodParameter)),
            (b"a=1&%5Fmethod=x", Some(Reason::MethodParameter)),
            (b"a=1;_method=x", Some(Reason::MethodParameter)),
            (b"a;_method", Some(Reason::MethodParameter)),
            (b"_method;x=1", Some(Reason::MethodParameter)),
            (b"%5B_method%5D=x", Some(Reason::MethodParameter)),
            (b"a=1&_charset_=utf-7", Some(Reason::EncodedBody)),
            (b"a=1;%5Fcharset_=utf-7", Some(Reason::EncodedBody)),
            (b"_charset_=UTF-8&a", None),
            (b"sudo=root", Some(Reason::CredentialParameter)),
            (b"private_token[]=x", Some(Reason::CredentialParameter)),
            (b"a=1& sudo=x", Some(Reason::CredentialParameter)),
            (b"%zz=1", Some(Reason::MalformedForm)),
            (b"%ff=1", Some(Reason::MalformedForm)),
            (b"a%00=1", Some(Reason::MalformedForm)),
        ] {
            let found = check_form(body, &rules).err().map(|refusal| refusal.reason);
            assert_eq!(found, expected, "{}", String::from_utf8_lossy(body));
        }
    }
}
