//! Certificates of answers.

use super::{
    Question, Verdict,
    who::{Extent, Reach},
};
use crate::{
    analysis::{Certificates, Request, Subject},
    tokens::InvariantKind as Demand,
};

impl Verdict {
    /// Adds the certificates of the answer: `policy` and `asked` are the numbers of the policy and of the question's program.
    pub fn certify(
        &self,
        (question, demand): (&Question, Demand),
        (policy, asked): (usize, usize),
        certificates: &mut Certificates<'_>,
    ) {
        let (token, asked) = (
            Subject::new(policy, Some(self.token)),
            Subject::new(asked, Some(question.token)),
        );
        // A certificate is about lines. It says nothing of requests that the lines allow, and the proxy does not forward.
        if demand == Demand::Always && self.breaches.iter().any(|breach| breach.is_allowed) {
            let line = question.line();
            return certificates.open(&format!(
                "whether the proxy forwards requests that `{line}` matches"
            ));
        }
        let found: Vec<&Request> = self.breaches.iter().map(|breach| &breach.request).collect();
        certificates.demand((demand, &asked), &token, (&found, self.inconclusive.is_some()));
    }
}

impl Reach {
    /// Adds the certificates of the answer: a request for each line that allows some of the requests, or a proof that none does; and
    /// whether the token allows all of them.
    pub fn certify(
        &self,
        question: &Question,
        (policy, asked): (usize, usize),
        certificates: &mut Certificates<'_>,
    ) {
        let (token, asked) = (
            Subject::new(policy, Some(self.token)),
            Subject::new(asked, Some(question.token)),
        );
        let found: Vec<&Request> = self.ways.iter().map(|way| &way.request).collect();
        certificates.demand(
            (Demand::Never, &asked),
            &token,
            (&found, self.inconclusive.is_some()),
        );
        let (denied, is_open) = match &self.extent {
            // That is the first answer.
            Extent::Nothing => return,
            Extent::Part(request) => (vec![&**request], false),
            Extent::Everything => (Vec::new(), false),
            Extent::Open(_) => (Vec::new(), true),
        };
        certificates.demand((Demand::Always, &asked), &token, (&denied, is_open));
    }
}
