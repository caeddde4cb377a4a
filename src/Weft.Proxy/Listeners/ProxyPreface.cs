// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Plan;
using Weft.Protocols.ProxyProtocol;
using Weft.Proxy.Io;

namespace Weft.Proxy.Listeners;

/// <summary>The PROXY header before a connection's own bytes, as a listener's rule wants it.</summary>
internal static class ProxyPreface
{
    /// <summary>Its length, 0 where there is none; -1 with a problem where the rule is broken, and without one where more has to come.</summary>
    /// <param name="bytes">What the client has sent.</param>
    /// <param name="rule">Whether it is owed.</param>
    /// <param name="waiting">Whether more may come.</param>
    /// <param name="source">Whom it names; none where it names nobody.</param>
    /// <param name="problem">A sentence.</param>
    internal static int Read(ReadOnlySpan<byte> bytes, ProxyHeaderRule rule, Waiting waiting, out IpEndpoint source, out string? problem)
    {
        source = default;
        problem = null;
        var status = ProxyHeaderReader.TryRead(bytes, out var header, out var length, out var error);
        if (status == ProxyHeaderStatus.NeedMore && waiting == Waiting.GoesOn)
        {
            return -1;
        }

        problem = status == ProxyHeaderStatus.Refused ? ProxyHeaderErrors.Describe(error)
            : status != ProxyHeaderStatus.Done && rule == ProxyHeaderRule.Required ? "the connection does not begin with a PROXY header"
            : null;
        if (problem is not null)
        {
            return -1;
        }

        source = header.HasAddresses ? IpEndpoint.Of(header.Source.Bits, header.Source.Port) : default;
        return length;
    }
}
