//! The calls about list resources: decode once, list, and encode each result once.
//!
//! What is the same for all of them is kept here. The host takes whatever comes: it counts results and says nothing of
//! those beyond the limit, shows one object twice where it comes twice, and skips those without an identity.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;

use super::from_diagnostics::FromDiagnostics;
use super::{Inner, decode_config, no_such};
use crate::terraform::list_resource::{AnyListResult, AnyResultPage, Listed, ResultSink};
use crate::terraform::wire::convert;
use crate::terraform::{
    AnyListResource, AnyResource, Diagnostic, Diagnostics, Object, Provider, Value, proto, summaries,
};

/// The block inside a list block that holds what the schema describes. Paths begin with it: without, the host points at the
/// list block and not at the line.
const CONFIG: &str = "config";

impl<P: Provider> Inner<P> {
    /// By type name.
    pub(super) fn list_resource_schemas(&self) -> HashMap<String, proto::Schema> {
        self.list_resources
            .values()
            .map(|list| (list.type_name().to_owned(), (list.schema()).into()))
            .collect()
    }

    pub(super) fn validate_list_resource(
        &self,
        request: &proto::validate_list_resource_config::Request,
    ) -> proto::validate_list_resource_config::Response {
        FromDiagnostics::from_diagnostics(
            self.list_resource(&request.type_name)
                .and_then(|list| {
                    let config = decode_config(request.config.as_ref(), list.schema())?;
                    Ok(list.validate(config))
                })
                .unwrap_or_else(Diagnostics::from)
                .inside(CONFIG)
                .into(),
        )
    }

    /// Sends what is listed. An error comes last, and the host discards what came before it.
    pub(super) async fn list(
        &self,
        request: proto::list_resource::Request,
        events: mpsc::Sender<proto::list_resource::Event>,
    ) {
        if let Err(problems) = self.try_list(&request, &events).await {
            // A host that has gone away is told nothing.
            let _ = events
                .send(FromDiagnostics::from_diagnostics(problems.inside(CONFIG).into()))
                .await;
        }
    }

    async fn try_list(
        &self,
        request: &proto::list_resource::Request,
        events: &mpsc::Sender<proto::list_resource::Event>,
    ) -> Result<(), Diagnostics> {
        let token = self.stop.token();
        let list = self.list_resource(&request.type_name)?;
        let config = decode_config(request.config.as_ref(), list.schema())?;
        let mut sink = EventSink {
            api_name: P::API_NAME,
            list: list.as_ref(),
            resource: self.resource(&request.type_name)?.as_ref(),
            include_object: request.include_resource_object,
            limit: usize::try_from(request.limit.max(0)).unwrap_or(usize::MAX),
            sent: HashSet::new(),
            left_out: Vec::new(),
            events,
        };
        if sink.is_full() {
            return Ok(());
        }
        list.list(config, &mut sink, &token).await?;
        sink.end().await;
        Ok(())
    }

    fn list_resource(&self, type_name: &str) -> Result<&Arc<dyn AnyListResource>, Diagnostic> {
        self.list_resources
            .get(type_name)
            .ok_or_else(|| no_such("list resource", type_name))
    }
}

/// Makes events of results, each object once and no more than the limit.
struct EventSink<'a> {
    /// See [`Provider::API_NAME`].
    api_name: &'static str,
    list: &'a dyn AnyListResource,
    resource: &'a dyn AnyResource,
    include_object: bool,
    limit: usize,
    /// The identities, encoded.
    sent: HashSet<Vec<u8>>,
    /// What is known of the objects that cannot be identified and of which nothing was said yet.
    left_out: Vec<Option<String>>,
    events: &'a mpsc::Sender<proto::list_resource::Event>,
}

/// Whether there is more than the limit lets through.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Beyond {
    Nothing,
    Perhaps,
    More,
}

#[async_trait]
impl ResultSink for EventSink<'_> {
    fn include_object(&self) -> bool {
        self.include_object
    }

    async fn page(&mut self, page: AnyResultPage) -> Result<ControlFlow<()>, Diagnostics> {
        let mut beyond = match (page.goes_on, page.is_filtered) {
            (false, _) => Beyond::Nothing,
            (true, true) => Beyond::Perhaps,
            (true, false) => Beyond::More,
        };
        let mut events = Vec::new();
        for listed in page.listed {
            let result = match listed {
                Ok(Listed::Object(result)) => self.event(result),
                // It may be an object that was sent.
                Ok(Listed::Unidentified { .. }) if self.is_full() => {
                    beyond = beyond.max(Beyond::Perhaps);
                    continue;
                }
                Ok(Listed::Unidentified { known_as }) => {
                    self.left_out.push(known_as);
                    continue;
                }
                Err(problem) => Err(problem),
            };
            match result {
                Err(_) if self.is_full() => beyond = beyond.max(Beyond::Perhaps),
                Err(problem) => return Err(problem.into()),
                Ok((identity, _)) if self.sent.contains(&identity) => {}
                Ok(_) if self.is_full() => beyond = Beyond::More,
                Ok((identity, event)) => {
                    self.sent.insert(identity);
                    events.push(event);
                }
            }
        }
        if self.is_full()
            && let Some(last) = events.last_mut()
        {
            let warnings = self.said_of_left_out().into_iter();
            let warnings = warnings.chain(self.beyond_the_limit(beyond, page.is_filtered));
            last.diagnostic.extend(warnings.map(Into::into));
        }
        for event in events {
            if self.events.send(event).await.is_err() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(if self.is_full() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    }
}

impl EventSink<'_> {
    fn is_full(&self) -> bool {
        self.sent.len() >= self.limit
    }

    /// What the user is told of the objects that were left out, unless it was said. It goes with the last result that the
    /// limit lets through, because the host reads nothing after that.
    fn said_of_left_out(&mut self) -> Option<Diagnostic> {
        let left_out = std::mem::take(&mut self.left_out);
        (!left_out.is_empty()).then(|| self.list.left_out(&left_out))
    }

    /// Sends what is left to be said where the list ends before the limit.
    async fn end(mut self) {
        if let Some(warning) = self.said_of_left_out() {
            let said = Diagnostics::from(warning).inside(CONFIG);
            // A host that has gone away is told nothing.
            let _ = self.events.send(FromDiagnostics::from_diagnostics(said.into())).await;
        }
    }

    /// The event of a result, and the result's identity, encoded.
    fn event(&self, result: AnyListResult) -> Result<(Vec<u8>, proto::list_resource::Event), Diagnostic> {
        self.check(&result)?;
        let identity = convert::encode_object(Some(result.identity), self.resource.identity_schema().object_type())
            .map_err(|e| Diagnostic::protocol_error("identity", &e))?;
        let object = result.object.filter(|_| self.include_object);
        let object = object.map(|object| convert::encode_object(Some(object), self.resource.schema().object_type()));
        let event = proto::list_resource::Event {
            display_name: result.display_name,
            resource_object: object
                .transpose()
                .map_err(|e| Diagnostic::protocol_error("state", &e))?,
            diagnostic: result.warnings.inside(CONFIG).into(),
            identity: Some(proto::ResourceIdentityData {
                identity_data: Some(identity.clone()),
            }),
        };
        Ok((identity.msgpack, event))
    }

    fn check(&self, result: &AnyListResult) -> Result<(), Diagnostic> {
        let has_value = |object: &Object, name| !matches!(object.get(name), None | Some(Value::Null | Value::Unknown));
        let mut identity = self.resource.identity_schema().attributes().iter();
        let lacking = identity.find(|attribute| !has_value(&result.identity, attribute.name));
        let mut attributes = self.resource.schema().attributes().iter();
        let shown = attributes.find(|attribute| {
            let value = result.object.as_ref().map(|object| has_value(object, attribute.name));
            attribute.sensitive && value.unwrap_or_default()
        });
        let did = match (lacking, shown) {
            (Some(attribute), _) => format!("listed an object whose identity lacks {}", attribute.name),
            (None, Some(attribute)) => format!("listed an object with its {}, which is sensitive", attribute.name),
            (None, None) => return Ok(()),
        };
        Err(Diagnostic::provider_bug(self.resource.type_name(), &did))
    }

    /// What the user is told where the limit was reached. Nobody else says so.
    fn beyond_the_limit(&self, beyond: Beyond, is_filtered: bool) -> Option<Diagnostic> {
        let Self { api_name, limit, .. } = self;
        let detail = |what: &str| {
            format!(
                "This list block shows {limit}, which is its limit. {what} To see them, set limit to a higher number."
            )
        };
        Some(match (beyond, is_filtered) {
            (Beyond::Nothing, _) => return None,
            (Beyond::More, false) => Diagnostic::warning(
                summaries::MORE_THAN_LIMIT,
                detail(&format!("{api_name} has more than that.")),
            ),
            (Beyond::More, true) => Diagnostic::warning(
                summaries::MORE_THAN_LIMIT,
                detail(&format!(
                    "{api_name} has more that match, and there may be others that were not looked for."
                )),
            ),
            (Beyond::Perhaps, _) => Diagnostic::warning(
                summaries::PERHAPS_MORE_THAN_LIMIT,
                detail(&format!("{api_name}'s list goes on after them, so there may be more.")),
            ),
        })
    }
}
