// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Proxy.Filters;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Stacks;

/// <summary>What peers call themselves, each text parsed once per loop, so that equal names are one object.</summary>
internal sealed class PeerNameTable
{
    /// <summary>Different texts that are remembered; above this all are forgotten.</summary>
    internal const int Limit = 1024;

    private ByteMap<WorkloadNamePlan> _names = new();
    private ByteMap<string> _principals = new();

    /// <summary>Null where the text is not of the agreed form.</summary>
    internal WorkloadNamePlan? Find(ReadOnlySpan<byte> text)
    {
        if (_names.TryGet(text, out var known))
        {
            return known;
        }

        if (KeepPeerNames.Parse(text) is not { } names)
        {
            return null;
        }

        if (_names.Count >= Limit)
        {
            _names = new ByteMap<WorkloadNamePlan>();
        }

        _names.TryAdd(text.ToArray(), names);
        return names;
    }

    /// <summary>The same text always as the same object.</summary>
    internal string Intern(string principal)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(principal);
        if (_principals.TryGet(bytes, out var known))
        {
            return known;
        }

        if (_principals.Count >= Limit)
        {
            _principals = new ByteMap<string>();
        }

        _principals.TryAdd(bytes, principal);
        return principal;
    }
}
