//! The two credentials: where each comes from, and who the gateway takes it for.
//!
//! A token goes to the gateway and nowhere else; what is told of it is the place that it came from.

use super::files;
use super::report::{Report, State};
use super::server::{Server, Who};
use crate::cli::connection::{Connection, read_token};
use crate::cli::provider::{Provider, TOKEN_FILE_VARIABLE, TOKEN_VARIABLE};
use crate::domain::Visible;
use secrecy::SecretString;
use std::path::{Path, PathBuf};

/// The reviewer's credential, and a word where there is none.
pub(super) fn reviewers_token(
    report: &mut Report,
    connection: &Connection,
    own: Option<PathBuf>,
) -> Option<SecretString> {
    let found = match (connection.credential(), own) {
        (Ok(None), Some(path)) => read_token(&path).map(Some),
        (found, _) => found,
    };
    match found {
        Ok(Some(token)) => Some(token),
        Ok(None) => {
            let advice = "to review here, name a reviewer's token: --token-file, AEGIS_API_KEY_FILE, or token_file in the config";
            report.not(State::Warn, "reviewer", "there is no reviewer's credential here", advice);
            None
        }
        Err(error) => {
            report.not(State::Fail, "reviewer", shown(&error), "");
            None
        }
    }
}

/// The agent's credential, and a word where there is none. `data` is the directory of the gateway that is asked, where it
/// is known.
pub(super) fn agents_token(
    report: &mut Report,
    provider: &Provider,
    data: Option<&Path>,
) -> Option<SecretString> {
    // Before the address is told: it may hold a password.
    if let Err(error) = provider.is_here() {
        report.not(State::Fail, "agent", shown(&error), "");
        return None;
    }
    let own = data.map(|data| data.join("agent.token")).filter(|path| path.exists());
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let named = provider.token_file.is_some() || is_set(TOKEN_FILE_VARIABLE) || is_set(TOKEN_VARIABLE);
    let found = match &own {
        // A gateway's directory that was named here is looked into as the usual one is.
        Some(path) if !named => read_token(path).map(|token| (token, files::shown(path))),
        _ => provider.found().map(|found| (found.token, Visible::of(&found.from).plain())),
    };
    match found {
        Ok((token, from)) => {
            report.ok(
                "agent",
                format!("asks {} with the token of {from}", Visible::of(&provider.base()).plain()),
            );
            Some(token)
        }
        Err(error) if named || own.is_some() => {
            report.not(State::Fail, "agent", shown(&error), "");
            None
        }
        Err(error) => {
            report.not(State::Warn, "agent", "there is no agent's credential here", shown(&error));
            None
        }
    }
}

/// Who the gateway takes that credential for.
pub(super) async fn introduce(
    report: &mut Report,
    check: &'static str,
    gateway: &Server,
    token: &SecretString,
) -> Option<Who> {
    match gateway.who(token).await {
        Ok(Ok(who)) => Some(who),
        Ok(Err(401)) => {
            let advice = "get a new one: `aegis-console token create` beside the gateway";
            report.not(State::Fail, check, "the gateway does not know the token, or it has ended", advice);
            None
        }
        Ok(Err(status)) => {
            let words = format!("the gateway does not say who the token is (HTTP {status})");
            report.not(State::Warn, check, words, "it may be of an earlier version");
            None
        }
        Err(words) => {
            report.not(State::Fail, check, format!("the gateway does not say who the token is: {words}"), "");
            None
        }
    }
}

/// Says of a reviewer's credential what it is.
pub(super) fn as_reviewer(report: &mut Report, who: Option<&Who>) {
    let Some(Who { name, role, tenant, .. }) = who else { return };
    let words = format!("{name}, {role} of the tenant {tenant}");
    match role.as_str() {
        "reviewer" => report.ok("reviewer", words),
        "auditor" | "admin" => {
            report.not(State::Warn, "reviewer", format!("{words}: it reads, and decides nothing"), "");
        }
        _ => {
            let words = format!("the token is that of {words}: it cannot review");
            report.not(State::Fail, "reviewer", words, "name a reviewer's token with --token-file");
        }
    }
}

/// Says of an agent's credential what it is; it is given back where it is one.
pub(super) fn as_agent(report: &mut Report, who: Option<Who>) -> Option<Who> {
    let who = who?;
    let words = format!("{}, {} of the tenant {}", who.name, who.role, who.tenant);
    if who.role != "agent" {
        let words = format!("the token is that of {words}: it cannot ask");
        report.not(
            State::Fail,
            "agent",
            words,
            "agents need a token of their own: `aegis-console token create --role agent`",
        );
        return None;
    }
    if who.paused {
        report.not(State::Warn, "agent", format!("{words}: paused by a reviewer"), "a reviewer resumes it");
    } else {
        report.ok("agent", words);
    }
    Some(who)
}

/// An error, made visible.
pub(super) fn shown(error: &anyhow::Error) -> String {
    Visible::of(&format!("{error:#}")).plain()
}
