// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Schema;

/// <summary>What a value may be.</summary>
public enum ValueKind
{
    Any,
    String,
    Int,
    Long,
    Number,
    Bool,
    Quantity,
    IntOrString,
    Time,
    MicroTime,
    Bytes,
    List,
    Map,
    Object,
}
