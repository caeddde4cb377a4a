// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Expressions;

/// <summary>A type as a value, which <c>type(x)</c> gives.</summary>
internal sealed record TypeName(string Text)
{
    private static readonly string[] _names = ["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type"];

    public static TypeName? Find(string name) => _names.Contains(name, StringComparer.Ordinal) ? new TypeName(name) : null;

    public static TypeName Of(object? value) => new(value switch
    {
        null => "null_type",
        bool => "bool",
        long => "int",
        double => "double",
        string => "string",
        TimeSpan => "google.protobuf.Duration",
        DateTimeOffset => "google.protobuf.Timestamp",
        TypeName => "type",
        _ when Values.IsList(value) => "list",
        _ => "map",
    });
}
