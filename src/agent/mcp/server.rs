//! The server's tools, each call from its arguments to its result.
//!
//! Every call ends in a result that its client can read. A failure is a no there, never an error of the protocol, which
//! clients show in their own ways or not at all.

use super::approval::{self, Report, Wish};
use super::arguments::Arguments;
use super::permission::{self, Prompt};
use super::waiting::Waiting;
use super::{Options, listed};
use crate::agent::{AapClient, Gate};
use futures_util::FutureExt as _;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, JsonObject,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use uuid::Uuid;

/// How many calls may wait at once; a client that has more of them open has lost count of them.
const MOST: usize = 64;
/// How much of a client's name for itself is passed on.
const NAME: usize = 100;

/// The server of one client.
pub(super) struct Server {
    gate: Gate,
    client: AapClient,
    options: Options,
    /// Names this client's calls, together with its own names for them.
    session: Uuid,
    ended: watch::Receiver<bool>,
    room: Semaphore,
}

impl Server {
    pub(super) fn new(gate: Gate, client: AapClient, options: Options, ended: watch::Receiver<bool>) -> Self {
        let room = Semaphore::new(MOST);
        Self { gate, client, options, session: Uuid::new_v4(), ended, room }
    }

    fn room(&self) -> Result<SemaphorePermit<'_>, String> {
        self.room.try_acquire().map_err(|_| format!("{MOST} calls wait already"))
    }

    fn waiting(&self, timeout: Duration) -> Waiting<'_> {
        let (progress, ended) = (self.options.progress, self.ended.clone());
        Waiting { gate: &self.gate, timeout, progress, ended }
    }

    async fn permission(
        &self,
        arguments: Option<JsonObject>,
        context: &RequestContext<RoleServer>,
    ) -> Result<String, String> {
        let _room = self.room()?;
        let arguments = Arguments::read(arguments)?;
        let prompt = Prompt::read(&arguments, agent(context), &self.options, self.session)?;
        let waiting = self.waiting(self.options.timeout);
        let answer = waiting.answer(&prompt.submission, &prompt.key, context).await;
        Ok(prompt.reply(&answer))
    }

    async fn approval(
        &self,
        arguments: Option<JsonObject>,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, String> {
        let _room = self.room()?;
        let wish = Wish::read(&Arguments::read(arguments)?, agent(context), &self.options)?;
        let answer = self.waiting(wish.timeout).answer(&wish.submission, &wish.key, context).await;
        Ok(approval::reply(&answer))
    }

    async fn called(
        &self,
        call: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        Ok(match &*call.name {
            listed::PERMISSION_PROMPT => {
                let reply = self.permission(call.arguments, context).await;
                let reply =
                    reply.unwrap_or_else(|why| permission::deny(&format!("Nobody was asked: {why}.")));
                CallToolResult::success(text(reply))
            }
            listed::REQUEST_APPROVAL => {
                let reply = self.approval(call.arguments, context).await;
                reply.unwrap_or_else(|why| approval::refuse(&format!("Nobody was asked: {why}.")))
            }
            listed::REPORT_OUTCOME => match self.outcome(call.arguments).await {
                Ok(()) => CallToolResult::success(text("The reviewer has been told.".into())),
                Err(why) => CallToolResult::error(text(format!("The reviewer has not been told: {why}."))),
            },
            _ => return Err(ErrorData::invalid_params("there is no tool of that name", None)),
        })
    }

    async fn outcome(&self, arguments: Option<JsonObject>) -> Result<(), String> {
        let _room = self.room()?;
        let Report { request_id, status, note } = Report::read(&Arguments::read(arguments)?)?;
        let told = self.client.report(request_id, status, note.as_deref()).await;
        told.map(|_| ()).map_err(|error| error.to_string())
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let name = Implementation::new("aegis-console", env!("CARGO_PKG_VERSION"));
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(name)
            .with_instructions(listed::INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(listed::tools()))
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = call.name.clone();
        // `rmcp` runs each call in a task of its own, and sends nothing where that panics: the client would wait for ever.
        let called = AssertUnwindSafe(self.called(call, &context)).catch_unwind().await;
        called.unwrap_or_else(|_| Ok(broken(&name))).map(Into::into)
    }
}

/// The no of a call that ended as it must not. Whether somebody was asked is not known; nobody is left to take the answer.
fn broken(tool: &str) -> CallToolResult {
    const WHY: &str = "This server failed by a fault of its own: the answer is no.";
    match tool {
        listed::PERMISSION_PROMPT => CallToolResult::success(text(permission::deny(WHY))),
        listed::REQUEST_APPROVAL => approval::refuse(WHY),
        _ => CallToolResult::error(text(WHY.into())),
    }
}

fn text(text: String) -> Vec<ContentBlock> {
    vec![ContentBlock::text(text)]
}

/// What the client calls itself.
fn agent(context: &RequestContext<RoleServer>) -> Option<String> {
    let Implementation { name, version, .. } = context.client_info()?;
    Some(format!("{name} {version}").chars().take(NAME).collect::<String>().trim().to_owned())
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_breaks_is_a_no_in_the_form_of_its_tool() {
        let said = |tool: &str| serde_json::to_value(broken(tool)).unwrap();
        let prompt = said(listed::PERMISSION_PROMPT);
        assert!(
            prompt["content"][0]["text"].as_str().unwrap().starts_with(r#"{"behavior":"deny","#),
            "{prompt}"
        );
        let approval = said(listed::REQUEST_APPROVAL);
        assert_eq!(
            (&approval["isError"], &approval["structuredContent"]["status"]),
            (&true.into(), &"error".into())
        );
        assert_eq!(said(listed::REPORT_OUTCOME)["isError"], true);
    }
}
