//! The RPCs about data sources: each decodes its request, calls the data source, and encodes the answer.

use std::collections::HashMap;
use std::sync::Arc;

use super::from_diagnostics::FromDiagnostics;
use super::{Inner, decode_config, no_such};
use crate::terraform::wire::convert;
use crate::terraform::{AnyDataSource, Diagnostic, Diagnostics, Outcome, Provider, proto};

impl<P: Provider> Inner<P> {
    /// By type name.
    pub(super) fn data_source_schemas(&self) -> HashMap<String, proto::Schema> {
        self.data_sources
            .values()
            .map(|source| (source.type_name().to_owned(), (source.schema()).into()))
            .collect()
    }

    pub(super) fn validate_data_source(
        &self,
        request: &proto::validate_data_resource_config::Request,
    ) -> proto::validate_data_resource_config::Response {
        FromDiagnostics::from_diagnostics(
            self.data_source(&request.type_name)
                .and_then(|source| {
                    let config = decode_config(request.config.as_ref(), source.schema())?;
                    Ok(source.validate(config))
                })
                .unwrap_or_else(Diagnostics::from)
                .into(),
        )
    }

    pub(super) async fn read_data_source(
        &self,
        request: proto::read_data_source::Request,
    ) -> proto::read_data_source::Response {
        match self.try_read_data_source(&request).await {
            Ok(Outcome { value, diagnostics }) => proto::read_data_source::Response {
                state: Some(value),
                diagnostics: diagnostics.into(),
                deferred: None,
            },
            Err(problems) => FromDiagnostics::from_diagnostics(problems.into()),
        }
    }

    async fn try_read_data_source(
        &self,
        request: &proto::read_data_source::Request,
    ) -> Result<Outcome<proto::DynamicValue>, Diagnostics> {
        let token = self.stop.token();
        let source = self.data_source(&request.type_name)?;
        let schema = source.schema();
        let config = decode_config(request.config.as_ref(), schema)?;
        let Outcome { value, diagnostics } = source.read(config, &token).await?;
        let state = convert::encode_object(Some(value), schema.object_type())
            .map_err(|e| Diagnostic::protocol_error("state", &e))?;
        Ok(Outcome::new(state, diagnostics))
    }

    fn data_source(&self, type_name: &str) -> Result<&Arc<dyn AnyDataSource>, Diagnostic> {
        self.data_sources
            .get(type_name)
            .ok_or_else(|| no_such("data source", type_name))
    }
}
