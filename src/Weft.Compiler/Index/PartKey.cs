// SPDX-License-Identifier: Apache-2.0

using System.Runtime.CompilerServices;

namespace Weft.Compiler.Index;

/// <summary>What a part was made from. Inputs are compared as objects: equal inputs are the same object, see <see cref="Identity{TKey, T}"/>.</summary>
internal readonly struct PartKey(string kind, object? first, object? second, object? third, string text) : IEquatable<PartKey>
{
    private readonly string _kind = kind;
    private readonly object? _first = first;
    private readonly object? _second = second;
    private readonly object? _third = third;
    private readonly string _text = text;

    public bool Equals(PartKey other) =>
        _kind == other._kind && _text == other._text && ReferenceEquals(_first, other._first) &&
        ReferenceEquals(_second, other._second) && ReferenceEquals(_third, other._third);

    public override bool Equals(object? obj) => obj is PartKey other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(
        _kind,
        _text,
        RuntimeHelpers.GetHashCode(_first),
        RuntimeHelpers.GetHashCode(_second),
        RuntimeHelpers.GetHashCode(_third));
}
