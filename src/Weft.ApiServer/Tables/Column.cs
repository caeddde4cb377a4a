// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Tables;

/// <summary>One column of a table; priority 1 shows only in wide output.</summary>
public sealed record Column(string Name, string Type = "string", string Format = "", int Priority = 0)
{
    public static Column ObjectName { get; } = new("Name", Format: "name");

    public static Column Age { get; } = new("Age");

    public static Column Wide(string name) => new(name, Priority: 1);

    public static Column Count(string name) => new(name, "integer");
}
