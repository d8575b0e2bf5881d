use proptest::prelude::*;

use super::*;
use crate::manifest::Manifest;
use crate::revocation::Revocations;
use crate::signature::SignatureError;
use crate::testing::{NOW, Signer, manifest};

struct Setting {
    fleet: Name,
    signer: Signer,
    mark: Option<Mark>,
    now: u64,
}

impl Setting {
    fn at(version: Option<u64>) -> Self {
        Self {
            fleet: "main".parse().unwrap(),
            signer: Signer::new(1),
            mark: version.map(|version| Mark::of(&manifest(version))),
            now: NOW + 60,
        }
    }

    fn decide(&self, manifest: &Manifest) -> Result<Taken, Refused> {
        self.decide_bytes(&self.signer.manifest(manifest))
    }

    fn decide_bytes(&self, bytes: &[u8]) -> Result<Taken, Refused> {
        let judge = Judge {
            fleet: &self.fleet,
            keys: &[self.signer.public()],
            mark: self.mark.as_ref(),
            now: self.now,
            own: Release([0, 1, 0]),
            knows: &|head| *head == Revocations::first(),
        };
        accept(bytes, &judge)
    }
}

#[test]
fn higher_versions_are_taken_and_raise_the_mark() {
    let taken = Setting::at(None).decide(&manifest(5_000)).unwrap();
    assert!(taken.is_new);
    assert_eq!(taken.mark, Mark::of(&manifest(5_000)));
    for next in [42, 43, 1_041] {
        assert!(
            Setting::at(Some(41)).decide(&manifest(next)).unwrap().is_new,
            "{next}"
        );
    }
}

#[test]
fn lower_versions_and_great_leaps_are_refused() {
    let setting = Setting::at(Some(41));
    assert_eq!(
        setting.decide(&manifest(40)),
        Err(Refused::RolledBack { found: 40, mark: 41 })
    );
    assert_eq!(
        setting.decide(&manifest(1_042)),
        Err(Refused::FarAhead {
            found: 1_042,
            mark: 41
        })
    );
    assert_eq!(
        setting.decide(&manifest((1 << 53) - 1)),
        Err(Refused::FarAhead {
            found: (1 << 53) - 1,
            mark: 41
        })
    );
}

#[test]
fn one_version_has_one_content() {
    let mut setting = Setting::at(Some(41));
    assert!(!setting.decide(&manifest(41)).unwrap().is_new);
    for other in [
        Manifest {
            digest: [8; 32],
            ..manifest(41)
        },
        Manifest {
            expires: NOW + 9 * 86_400,
            ..manifest(41)
        },
    ] {
        assert_eq!(setting.decide(&other), Err(Refused::SameVersion(41)));
    }
    // Signed again by another accepted key it is the same.
    setting.signer = Signer::new(2);
    assert!(!setting.decide(&manifest(41)).unwrap().is_new);
}

#[test]
fn a_manifest_is_for_its_fleet_time_and_release() {
    let mut setting = Setting::at(Some(41));
    let other = Manifest {
        fleet: "other".parse().unwrap(),
        ..manifest(42)
    };
    assert!(matches!(setting.decide(&other), Err(Refused::OtherFleet { .. })));
    let later = Manifest {
        least: Release([0, 1, 1]),
        ..manifest(42)
    };
    assert!(matches!(setting.decide(&later), Err(Refused::OldRelease { .. })));
    let knowing = Manifest {
        revocations: [9; 32],
        ..manifest(42)
    };
    assert_eq!(setting.decide(&knowing), Err(Refused::LacksRevocations(42)));
    setting.now = manifest(42).expires - 1;
    assert!(setting.decide(&manifest(42)).is_ok());
    setting.now += 1;
    let expired = Refused::Expired {
        version: 42,
        seconds: 0,
    };
    assert_eq!(setting.decide(&manifest(42)), Err(expired));
    // The manifest that the proxy has stays its policy.
    assert!(!setting.decide(&manifest(41)).unwrap().is_new);
    setting.fleet = "other".parse().unwrap();
    setting.now = NOW;
    assert!(matches!(
        setting.decide(&other),
        Err(Refused::MarkOfOtherFleet(_))
    ));
}

#[test]
fn nothing_of_an_unsigned_manifest_is_believed() {
    let setting = Setting::at(Some(41));
    // It has an old version, another fleet and a strange signature: the signature is what is reported.
    let other = Manifest {
        fleet: "other".parse().unwrap(),
        ..manifest(1)
    };
    let stranger = Signer::new(3);
    assert_eq!(
        setting.decide_bytes(&stranger.manifest(&other)),
        Err(Refused::Manifest(
            SignatureError::Stranger(stranger.public().id()).into()
        ))
    );
}

#[test]
fn a_proxy_that_was_rewound_to_0_begins_anew() {
    let mut setting = Setting::at(Some(41));
    setting.mark = Some(Mark {
        version: 0,
        manifest: [0; 32],
        ..Mark::of(&manifest(41))
    });
    assert!(setting.decide(&manifest(5_000)).unwrap().is_new);
}

proptest! {
    /// Whatever is offered in whatever order, versions only rise, each by at most 1,000, and a version has one content.
    #[test]
    fn no_order_of_manifests_goes_back(
        offers in proptest::collection::vec((1_u64..3_000, 0_u8..3, 0_u64..20 * 86_400), 1..40)
    ) {
        let mut setting = Setting::at(None);
        let mut taken: Vec<(u64, u8)> = Vec::new();
        for (version, content, passed) in offers {
            setting.now = NOW + passed;
            let offered = Manifest { digest: [content; 32], ..manifest(version) };
            let Ok(accepted) = setting.decide(&offered) else { continue };
            if let Some((last, digest)) = taken.last() {
                prop_assert!(version >= *last && version - last <= MOST_AHEAD);
                prop_assert_eq!(accepted.is_new, version > *last);
                prop_assert!(accepted.is_new || content == *digest);
            }
            prop_assert!(!accepted.is_new || offered.expires > setting.now);
            setting.mark = Some(accepted.mark);
            taken.push((version, content));
        }
    }
}

#[test]
fn a_manifest_from_the_future_is_refused_until_its_time_has_come() {
    let mut setting = Setting::at(Some(41));
    setting.now = NOW - MOST_EARLY - 1;
    let refused = setting.decide(&manifest(42)).unwrap_err();
    assert_eq!(refused, Refused::Early { version: 42 });
    assert!(refused.may_pass());
    // What the proxy has already stays its policy under any clock.
    assert!(!setting.decide(&manifest(41)).unwrap().is_new);
    setting.now += 1;
    assert!(setting.decide(&manifest(42)).unwrap().is_new);
}
