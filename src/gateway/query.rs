//! The query of a call: its parameters by name, each once. A name that the call does not know is refused, because a
//! filter that is misspelt and ignored shows something else than was asked for.

use super::answer::Refusal;
use crate::domain::Visible;

/// The parameters of one call.
#[derive(Debug)]
pub(crate) struct Query<'q>(Vec<(&'q str, &'q str)>);

impl<'q> Query<'q> {
    /// Reads the query, whose parameters may be of these names. Values are taken as they stand: nothing that the gateway
    /// takes needs an escape.
    pub(crate) fn read(query: Option<&'q str>, names: &[&str]) -> Result<Self, Refusal> {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let shown = || Visible::of(name).cut(64).plain();
            let bad = |detail| Err(Refusal::bad("bad_query", detail));
            if !names.contains(&name) {
                return bad(format!("{:?} is not a parameter of this call: {}", shown(), names.join(", ")));
            }
            if pairs.iter().any(|(earlier, _)| *earlier == name) {
                return bad(format!("the parameter {:?} stands more than once", shown()));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// The value of that parameter, where it is there.
    pub(crate) fn get(&self, name: &str) -> Option<&'q str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_parameter_is_found_by_its_whole_name_and_stands_once() {
        let names = ["wait", "a"];
        let wait = |query| Query::read(query, &names).map(|query| query.get("wait")).ok();
        assert_eq!(wait(Some("a=1&wait=25s")), Some(Some("25s")));
        assert_eq!(wait(Some("wait")), Some(Some("")));
        assert_eq!(wait(Some("")), Some(None));
        assert_eq!(wait(None), Some(None));
        for bad in ["await=1", "wait=1&wait=1", "w%61it=1", "=", "wait=1;b=2&b"] {
            assert_eq!(wait(Some(bad)), None, "{bad}");
        }
    }
}
