use proptest::prelude::*;

use super::*;
use crate::testing::manifest;

fn mark(version: u64) -> Mark {
    Mark::of(&manifest(version))
}

fn joined(file: Option<u64>, chain: Option<u64>) -> Result<Option<u64>, MarksError> {
    let marks = Marks {
        file: file.map(mark),
        chain: chain.map(mark),
    };
    marks.joined().map(|mark| mark.map(|mark| mark.version))
}

#[test]
fn the_file_may_be_ahead_of_the_chain_and_never_behind() {
    assert_eq!(joined(None, None), Ok(None));
    assert_eq!(joined(Some(3), None), Ok(Some(3)));
    assert_eq!(joined(Some(3), Some(3)), Ok(Some(3)));
    assert_eq!(joined(Some(4), Some(3)), Ok(Some(4)));
    for file in [None, Some(2)] {
        let error = joined(file, Some(3)).unwrap_err();
        assert_eq!(error, MarksError::Behind { file, chain: 3 });
        assert!(error.to_string().contains("`tokenward fleet rewind`"), "{error}");
    }
    let other = Marks {
        file: Some(mark(3)),
        chain: Some(Mark {
            manifest: [1; 32],
            ..mark(3)
        }),
    };
    assert_eq!(other.joined(), Err(MarksError::Differ(3)));
}

proptest! {
    #[test]
    fn marks_are_read_as_written(version in 0..(1_u64 << 53), manifest in any::<[u8; 32]>()) {
        let mark = Mark { version, manifest, ..mark(1) };
        prop_assert_eq!(Mark::read(&mark.bytes()).unwrap(), mark);
    }

    /// A torn or changed file is no mark.
    #[test]
    fn a_torn_file_is_refused(end in 0_usize..200) {
        let bytes = mark(42).bytes();
        let end = end % bytes.len();
        prop_assert!(Mark::read(&bytes[..end]).is_err());
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..700)) {
        prop_assert!(Mark::read(&bytes).is_err());
    }
}
