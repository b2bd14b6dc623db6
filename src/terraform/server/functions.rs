//! The RPCs about functions.

use std::collections::HashMap;

use super::{Inner, no_such};
use crate::terraform::function::{Arguments, FunctionError, FunctionSignature};
use crate::terraform::wire::convert;
use crate::terraform::{Parameter, Provider, Value, proto};

impl<P: Provider> Inner<P> {
    /// By name.
    pub(super) fn function_signatures(&self) -> HashMap<String, proto::Function> {
        self.functions
            .values()
            .map(|function| (function.name().to_owned(), function.signature().into()))
            .collect()
    }

    pub(super) fn call_function(&self, request: &proto::call_function::Request) -> proto::call_function::Response {
        match self.try_call_function(request) {
            Ok(result) => proto::call_function::Response {
                result: Some(result),
                error: None,
            },
            Err(error) => error.into(),
        }
    }

    fn try_call_function(&self, request: &proto::call_function::Request) -> Result<proto::DynamicValue, FunctionError> {
        let function = self
            .functions
            .get(request.name.as_str())
            .ok_or_else(|| no_such("function", &request.name))?;
        let signature = function.signature();
        let result = function.call(arguments(signature, &request.arguments)?)?;
        convert::encode_value(&result, &signature.returns).map_err(|error| {
            general(format!(
                "The result cannot be sent: {error}. This is a bug in the provider."
            ))
        })
    }
}

impl From<FunctionError> for proto::call_function::Response {
    fn from(error: FunctionError) -> Self {
        Self {
            result: None,
            error: Some(proto::FunctionError {
                text: error.text,
                function_argument: error.argument.and_then(|position| i64::try_from(position).ok()),
            }),
        }
    }
}

/// Reads the arguments of a call, as the signature has them.
fn arguments(signature: &FunctionSignature, sent: &[proto::DynamicValue]) -> Result<Arguments, FunctionError> {
    let parameters = &signature.parameters;
    if sent.len() != parameters.len() {
        return Err(general(format!(
            "{} arguments were given, and the function takes {}.",
            sent.len(),
            parameters.len()
        )));
    }
    let values = parameters.iter().zip(sent).enumerate();
    let values = values.map(|(position, (parameter, sent))| argument(position, parameter, sent));
    values.collect::<Result<_, _>>().map(Arguments::new)
}

fn argument(position: usize, parameter: &Parameter, sent: &proto::DynamicValue) -> Result<Value, FunctionError> {
    match convert::decode_value(Some(sent), &parameter.ty) {
        Ok(Value::Null | Value::Unknown) => Err(FunctionError::at_argument(position, "This argument has no value.")),
        Ok(value) => Ok(value),
        Err(error) => Err(FunctionError::at_argument(
            position,
            format!("This argument cannot be read: {error}."),
        )),
    }
}

/// An error about no argument in particular.
fn general(text: String) -> FunctionError {
    FunctionError { text, argument: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::Type;

    fn read(sent: &[(Value, Type)]) -> Result<(), FunctionError> {
        let parameter = |name| Parameter {
            name,
            ty: Type::String,
            description: "",
        };
        let signature = FunctionSignature {
            summary: "",
            description: "",
            parameters: vec![parameter("one"), parameter("two")],
            returns: Type::Bool,
        };
        let sent: Vec<_> = sent
            .iter()
            .map(|(value, ty)| convert::encode_value(value, ty).unwrap())
            .collect();
        arguments(&signature, &sent).map(drop)
    }

    fn text(text: &str) -> (Value, Type) {
        (Value::String(text.to_owned()), Type::String)
    }

    #[test]
    fn there_are_as_many_arguments_as_parameters() {
        assert_eq!(read(&[text("a"), text("b")]), Ok(()));
        for wrong in [vec![], vec![text("a")], vec![text("a"), text("b"), text("c")]] {
            let error = read(&wrong).unwrap_err();
            assert_eq!(error.argument, None);
            assert!(error.text.contains("takes 2"), "{error:?}");
        }
    }

    #[test]
    fn an_argument_without_a_value_or_of_another_type_is_named_and_not_quoted() {
        let wrong = [
            (Value::Null, Type::String),
            (Value::Unknown, Type::String),
            (
                Value::Mapping([("secret".into(), Value::Null)].into()),
                Type::Map(Box::new(Type::String)),
            ),
        ];
        for argument in wrong {
            let error = read(&[text("a"), argument]).unwrap_err();
            assert_eq!(error.argument, Some(1));
            assert!(!error.text.contains("secret"), "{error:?}");
        }
    }
}
