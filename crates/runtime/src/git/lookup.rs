//! Reading objects of a repository.

use super::objects::{AHEAD, Object, ObjectId, ObjectKind, Objects};
use super::{GitError, Repository};

impl Repository {
    /// Reads the content of a blob.
    ///
    /// # Errors
    /// The blob is missing, damaged, not a blob or larger than `limit` bytes.
    pub(crate) fn blob(&self, id: &ObjectId, limit: u64) -> Result<Vec<u8>, GitError> {
        self.content(id, ObjectKind::Blob, limit)
    }

    /// Reads the content of an object, which must be of the given kind.
    pub(super) fn content(&self, id: &ObjectId, kind: ObjectKind, limit: u64) -> Result<Vec<u8>, GitError> {
        let mut found = None;
        self.objects(std::slice::from_ref(id), limit, |_, object| {
            found = Some(object);
            Ok(())
        })?;
        let corrupt = |why| GitError::Corrupt {
            id: id.to_string(),
            why,
        };
        match found {
            Some(object) if object.kind != kind => Err(corrupt("it is of another kind")),
            Some(Object {
                content: Some(content),
                ..
            }) => Ok(content),
            Some(_) => Err(GitError::TooMuch {
                verb: "cat-file",
                limit,
            }),
            None => Err(corrupt("there was no answer")),
        }
    }

    /// Passes each object to `each`, in order; objects of more than `limit` bytes have no content.
    ///
    /// # Errors
    /// An object is missing or damaged, git fails, or `each` does.
    pub(super) fn objects(
        &self,
        ids: &[ObjectId],
        limit: u64,
        mut each: impl FnMut(&ObjectId, Object) -> Result<(), GitError>,
    ) -> Result<(), GitError> {
        // After an error the process is dropped, since responses may be left in its pipe.
        let taken = self.objects.borrow_mut().take();
        let mut objects = match taken {
            Some(objects) => objects,
            None => {
                let (questions, running) = self.runner.converse("cat-file", &["--batch"])?;
                Objects { questions, running }
            }
        };
        let (mut asked, mut read) = (ids.iter(), ids.iter());
        let mut ahead = 0_usize;
        loop {
            let mut questions = String::new();
            for id in asked.by_ref().take(AHEAD.saturating_sub(ahead)) {
                questions.push_str(id.as_str());
                questions.push('\n');
                ahead += 1;
            }
            objects.ask(&questions)?;
            // Read half of the responses, so that git has work while they are processed.
            for _ in 0..ahead.div_ceil(2) {
                let Some(id) = read.next() else { break };
                each(id, objects.answer(id, limit)?)?;
                ahead -= 1;
            }
            if ahead == 0 {
                break;
            }
        }
        *self.objects.borrow_mut() = Some(objects);
        Ok(())
    }
}
