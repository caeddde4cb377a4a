// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;

namespace Weft.Proxy.Routing;

/// <summary>A dictionary whose keys are bytes and which is asked with spans. Hashes are seeded, so nobody can aim at collisions.</summary>
internal sealed class ByteMap<T>
    where T : class
{
    private readonly Dictionary<byte[], T> _entries = new(Comparer.Instance);
    private readonly Dictionary<byte[], T>.AlternateLookup<ReadOnlySpan<byte>> _lookup;

    public ByteMap() => _lookup = _entries.GetAlternateLookup<ReadOnlySpan<byte>>();

    public int Count => _entries.Count;

    public bool TryAdd(byte[] key, T value) => _entries.TryAdd(key, value);

    public bool TryGet(ReadOnlySpan<byte> key, [NotNullWhen(true)] out T? value) => _lookup.TryGetValue(key, out value);

    private sealed class Comparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static Comparer Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = default(HashCode);
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
