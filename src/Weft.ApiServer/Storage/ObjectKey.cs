// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Storage;

/// <summary>Where an object lives inside its resource; ordered as the text NAMESPACE/NAME is, which is how lists are.</summary>
public readonly record struct ObjectKey(string Namespace, string Name) : IComparable<ObjectKey>
{
    public int CompareTo(ObjectKey other)
    {
        var common = Math.Min(Namespace.Length, other.Namespace.Length);
        var byNamespace = string.CompareOrdinal(Namespace, 0, other.Namespace, 0, common);
        if (byNamespace != 0 || Namespace.Length == other.Namespace.Length)
        {
            return byNamespace != 0 ? byNamespace : string.CompareOrdinal(Name, other.Name);
        }

        // Where the shorter one has its slash, the longer one goes on.
        return Namespace.Length == common ? '/' - other.Namespace[common] : Namespace[common] - '/';
    }

    public static bool operator <(ObjectKey left, ObjectKey right) => left.CompareTo(right) < 0;

    public static bool operator <=(ObjectKey left, ObjectKey right) => left.CompareTo(right) <= 0;

    public static bool operator >(ObjectKey left, ObjectKey right) => left.CompareTo(right) > 0;

    public static bool operator >=(ObjectKey left, ObjectKey right) => left.CompareTo(right) >= 0;

    public override string ToString() => Namespace.Length == 0 ? Name : Namespace + "/" + Name;
}
