//! The one error of this crate: a ClickHouse error name and a message. Numbers and HTTP statuses are the server's.

use std::fmt;

use cairn_storage::ErrorKind;
use datafusion::error::DataFusionError;

/// The result of a query operation.
pub type Result<T, E = QueryError> = std::result::Result<T, E>;

/// What went wrong, by ClickHouse's names. Closed: a forgotten code is a compile error where it is translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// Text does not parse as the type.
    CannotParseText,
    /// Bad escape in a literal.
    CannotParseEscapeSequence,
    /// Bad quoting in a literal.
    CannotParseQuotedString,
    /// Input in a format breaks its grammar.
    CannotParseInputAssertionFailed,
    /// Text does not parse as a date.
    CannotParseDate,
    /// Text does not parse as a time.
    CannotParseDatetime,
    /// Text does not parse as a floating point number.
    CannotParseNumber,
    /// Text does not parse as a Bool.
    CannotParseBool,
    /// Text does not parse as a UUID.
    CannotParseUuid,
    /// Text does not parse as an IPv4 address.
    CannotParseIpv4,
    /// Text does not parse as an IPv6 address.
    CannotParseIpv6,
    /// The text ended too early (an empty string for a number).
    AttemptToReadAfterEof,
    /// Data ended too early.
    CannotReadAllData,
    /// A compressed body is damaged.
    ZlibInflateFailed,
    /// A compressed frame does not fit its checksum.
    ChecksumDoesntMatch,
    /// A compressed frame cannot be decompressed.
    CannotDecompress,
    /// A compressed frame of an unknown method.
    UnknownCodec,
    /// A zstd stream is damaged.
    ZstdDecoderFailed,
    /// An LZ4 stream is damaged.
    Lz4DecoderFailed,
    /// A brotli stream is damaged.
    BrotliReadFailed,
    /// Unknown compression of a block.
    UnknownCompressionMethod,
    /// A regular expression does not compile.
    CannotCompileRegexp,
    /// The statement does not parse.
    SyntaxError,
    /// The statement is too long.
    QueryIsTooLarge,
    /// The syntax tree is too deep.
    TooDeepAst,
    /// The syntax tree is too big.
    TooBigAst,
    /// No such column, alias or argument.
    UnknownIdentifier,
    /// No such table.
    UnknownTable,
    /// No such database.
    UnknownDatabase,
    /// No such function or table function.
    UnknownFunction,
    /// No such aggregate function.
    UnknownAggregateFunction,
    /// No such type.
    UnknownType,
    /// No such format.
    UnknownFormat,
    /// No such table engine.
    UnknownStorage,
    /// No such setting.
    UnknownSetting,
    /// No such role.
    UnknownRole,
    /// No such settings profile.
    ThereIsNoProfile,
    /// No such column in the table of an INSERT.
    NoSuchColumnInTable,
    /// The name fits several columns.
    AmbiguousIdentifier,
    /// A joined subquery needs an alias.
    AliasRequired,
    /// One alias stands for different expressions.
    MultipleExpressionsForAlias,
    /// Wrong number of arguments.
    NumberOfArgumentsDoesntMatch,
    /// Fewer arguments than the function needs.
    TooFewArgumentsForFunction,
    /// More arguments than the function takes.
    TooManyArgumentsForFunction,
    /// An argument has a wrong type.
    IllegalTypeOfArgument,
    /// An argument has a wrong value.
    BadArguments,
    /// An argument is out of bounds.
    ArgumentOutOfBound,
    /// The types cannot be compared.
    TypeMismatch,
    /// No conversion between the types.
    CannotConvertType,
    /// No common type.
    NoCommonType,
    /// WHERE needs a number.
    IllegalTypeOfColumnForFilter,
    /// Arrays must have equal lengths.
    SizesOfArraysDontMatch,
    /// A column cannot be used so.
    IllegalColumn,
    /// Integer division by zero.
    IllegalDivision,
    /// A number or time is out of its type's range.
    DecimalOverflow,
    /// A number is out of its type's range.
    ValueIsOutOfRangeOfDataType,
    /// No such element in the Enum.
    UnknownElementOfEnum,
    /// NULL for a column that has none.
    CannotInsertNullInOrdinaryColumn,
    /// `throwIf`
    FunctionThrowIfValueIsNonZero,
    /// A string would be too long.
    TooLargeStringSize,
    /// An array would be too long.
    TooLargeArraySize,
    /// An aggregate where none may stand.
    IllegalAggregation,
    /// A column is neither aggregated nor a key.
    NotAnAggregate,
    /// A scalar subquery gave several rows.
    IncorrectResultOfScalarSubquery,
    /// The arms of a UNION differ.
    UnionAllResultStructuresMismatch,
    /// UNION needs ALL or DISTINCT.
    ExpectedAllOrDistinct,
    /// WITH FILL with bounds or steps that do not fit.
    InvalidWithFillExpression,
    /// LIMIT WITH TIES needs an order.
    WithTiesWithoutOrderBy,
    /// The condition of a JOIN cannot be used.
    InvalidJoinOnExpression,
    /// FINAL is not possible here.
    IllegalFinal,
    /// SAMPLE is not possible here.
    SamplingNotSupported,
    /// The function is deprecated.
    DeprecatedFunction,
    /// It took too long.
    TimeoutExceeded,
    /// It would take too long.
    TooSlow,
    /// Too many rows to read or group.
    TooManyRows,
    /// Too many bytes to read.
    TooManyBytes,
    /// The result has too many rows or bytes.
    TooManyRowsOrBytes,
    /// The memory limit is reached.
    MemoryLimitExceeded,
    /// Too many queries run and wait.
    TooManySimultaneousQueries,
    /// Somebody stopped the query.
    QueryWasCancelled,
    /// A query of the same id runs already.
    QueryWithSameIdIsAlreadyRunning,
    /// A write or a forbidden change in readonly mode.
    Readonly,
    /// The user may not do that.
    AccessDenied,
    /// `INTO OUTFILE`
    IntoOutfileNotAllowed,
    /// Wrong password of a named user, or no such user.
    AuthenticationFailed,
    /// Wrong password of the default user.
    RequiredPassword,
    /// No such session.
    SessionNotFound,
    /// Another request uses the session.
    SessionIsLocked,
    /// Bad session timeout.
    InvalidSessionTimeout,
    /// A query parameter is missing.
    UnknownQueryParameter,
    /// A query parameter does not parse.
    BadQueryParameter,
    /// POST without a length.
    HttpLengthRequired,
    /// A connection broke.
    NetworkError,
    /// The disk or spill space is full.
    NotEnoughSpace,
    /// We do not do that.
    NotImplemented,
    /// No such cluster.
    ClusterDoesntExist,
    /// No such macro or configuration element.
    NoElementsInConfig,
    /// Stored data is damaged.
    CorruptedData,
    /// The data of an INSERT is wrong.
    IncorrectData,
    /// Wrong number of columns in an INSERT.
    NumberOfColumnsDoesntMatch,
    /// The table exists already.
    TableAlreadyExists,
    /// The database exists already.
    DatabaseAlreadyExists,
    /// A bug of ours.
    LogicalError,
}

/// Why a query failed. The message is shown to clients after `DB::Exception: `.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError {
    /// Which situation.
    pub code: ErrorCode,
    /// What happened, without a full stop.
    pub message: String,
}

impl QueryError {
    /// An error with `code` and `message`.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// The error to carry through DataFusion; [`From<DataFusionError>`] finds it again.
    pub(crate) fn external(self) -> DataFusionError {
        DataFusionError::External(Box::new(self))
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for QueryError {}

impl From<cairn_storage::Error> for QueryError {
    fn from(error: cairn_storage::Error) -> Self {
        let code = match error.kind() {
            ErrorKind::Invalid => ErrorCode::BadArguments,
            ErrorKind::NotFound | ErrorKind::Corrupt => ErrorCode::CorruptedData,
            ErrorKind::Unsupported => ErrorCode::NotImplemented,
            ErrorKind::Overloaded => ErrorCode::TooManySimultaneousQueries,
            ErrorKind::DiskFull => ErrorCode::NotEnoughSpace,
            ErrorKind::Timeout => ErrorCode::TimeoutExceeded,
            ErrorKind::Cancelled => ErrorCode::QueryWasCancelled,
            ErrorKind::Unavailable => ErrorCode::NetworkError,
            ErrorKind::Internal => ErrorCode::LogicalError,
        };
        Self::new(code, error.to_string())
    }
}

impl From<DataFusionError> for QueryError {
    fn from(error: DataFusionError) -> Self {
        let root = root_cause(&error);
        if let Some(own) = root.downcast_ref::<Self>() {
            return own.clone();
        }
        if let Some(DataFusionError::ResourcesExhausted(what)) =
            root.downcast_ref::<DataFusionError>()
        {
            return Self::new(
                ErrorCode::MemoryLimitExceeded,
                format!("Memory limit exceeded: {what}"),
            );
        }
        if let Some(io) = root.downcast_ref::<std::io::Error>()
            && io.kind() == std::io::ErrorKind::StorageFull
        {
            return Self::new(
                ErrorCode::NotEnoughSpace,
                format!("no space for temporary files: {io}"),
            );
        }
        Self::new(ErrorCode::LogicalError, format!("execution failed: {root}"))
    }
}

/// The innermost error that says something: one of ours, exhausted resources, or the end of the chain.
fn root_cause(error: &DataFusionError) -> &(dyn std::error::Error + 'static) {
    let mut at: &(dyn std::error::Error + 'static) = error;
    loop {
        let exhausted = at
            .downcast_ref::<DataFusionError>()
            .is_some_and(|e| matches!(e, DataFusionError::ResourcesExhausted(_)));
        if exhausted || at.is::<QueryError>() {
            return at;
        }
        match at.source() {
            Some(inner) => at = inner,
            None => return at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_errors_survive_the_way_through_datafusion() {
        let error = QueryError::new(ErrorCode::IllegalDivision, "Division by zero");
        let carried = error.clone().external().context("while projecting");
        assert_eq!(QueryError::from(carried), error);
        let shared = DataFusionError::Shared(std::sync::Arc::new(error.clone().external()));
        assert_eq!(QueryError::from(shared), error);
    }

    #[test]
    fn exhausted_memory_is_a_memory_limit() {
        let error = DataFusionError::ResourcesExhausted("pool".to_owned()).context("sort");
        assert_eq!(QueryError::from(error).code, ErrorCode::MemoryLimitExceeded);
    }
}
