// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Schema;

/// <summary>One field of an object type, and how patches merge it.</summary>
public sealed record FieldSchema(string Name, bool Required, TypeReference Type)
{
    /// <summary>Number in the binary form; zero when it has none of its own.</summary>
    public int Number { get; init; }

    /// <summary>A message of the binary form whose fields stand directly in the JSON object.</summary>
    public bool Inline { get; init; }

    /// <summary>The field that identifies items of a list in strategic merge patches.</summary>
    public string? MergeKey { get; init; }

    /// <summary>The fields that identify items of a list in server-side apply.</summary>
    public string[] ApplyKeys { get; init; } = [];

    /// <summary>A list of scalars that strategic merge patches treat as a set.</summary>
    public bool MergesAsSet { get; init; }

    /// <summary>A list of scalars that only server-side apply treats as a set.</summary>
    public bool AppliesAsSet { get; init; }

    /// <summary>Server-side apply takes the value as a whole, not field by field.</summary>
    public bool Atomic { get; init; }

    /// <summary>The patch names the keys of a union that survive.</summary>
    public bool RetainKeys { get; init; }

    /// <summary>The only values allowed, when not empty.</summary>
    public string[] Values { get; init; } = [];
}

/// <summary>An object type and its fields.</summary>
public sealed record ObjectSchema(string Name, IReadOnlyDictionary<string, FieldSchema> Fields)
{
    /// <summary>Fields that are not named are allowed, and may hold anything.</summary>
    public bool Open { get; init; }
}
