// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Model.Plan;
using Weft.Proxy.Io;

namespace Weft.Proxy.Listeners;

/// <summary>
/// Chooses a listener's chain as Envoy does: condition by condition in a fixed order; at each, only the most specific matches stay, and a
/// later condition never brings an earlier loser back.
/// </summary>
internal sealed class ChainSelector
{
    private const int AddressConditions = 2;

    private readonly CompiledChain[] _chains;
    private readonly Looks _allowed;

    internal ChainSelector(ListenerPlan plan)
    {
        _allowed = (plan.InspectTls ? Looks.Tls : Looks.None) | (plan.InspectHttp ? Looks.Http : Looks.None);
        _chains = new CompiledChain[plan.Chains.Count];
        for (var i = 0; i < _chains.Length; i++)
        {
            _chains[i] = new CompiledChain(plan.Chains[i]);
        }

        Default = plan.DefaultChain;
    }

    internal ChainPlan? Default { get; }

    /// <summary>
    /// What the client's first bytes decide for a destination. A port whose chains ask nothing of them is served without waiting, so a server
    /// that speaks first is heard at once.
    /// </summary>
    internal Looks LooksFor(ConnectionFacts facts)
    {
        if (_allowed == Looks.None)
        {
            return Looks.None;
        }

        Span<bool> alive = stackalloc bool[_chains.Length <= 256 ? _chains.Length : 0];
        if (_chains.Length > 256)
        {
            alive = new bool[_chains.Length];
        }

        alive.Fill(true);
        for (var condition = 0; condition < AddressConditions; condition++)
        {
            if (!Narrow(alive, condition, facts))
            {
                return Looks.None;
            }
        }

        var looks = Looks.None;
        for (var i = 0; i < alive.Length; i++)
        {
            looks |= alive[i] ? _chains[i].Looks : Looks.None;
        }

        return looks & _allowed;
    }

    /// <summary>Null where nothing serves the connection.</summary>
    internal ChainPlan? Select(ConnectionFacts facts)
    {
        Span<bool> alive = stackalloc bool[_chains.Length <= 256 ? _chains.Length : 0];
        if (_chains.Length > 256)
        {
            alive = new bool[_chains.Length];
        }

        alive.Fill(true);
        for (var condition = 0; condition < CompiledChain.ConditionCount; condition++)
        {
            if (!Narrow(alive, condition, facts))
            {
                return Default;
            }
        }

        return _chains[alive.IndexOf(true)].Plan;
    }

    private bool Narrow(Span<bool> alive, int condition, ConnectionFacts facts)
    {
        var best = -1;
        for (var i = 0; i < alive.Length; i++)
        {
            if (alive[i])
            {
                best = Math.Max(best, _chains[i].Specificity(condition, facts));
            }
        }

        for (var i = 0; i < alive.Length; i++)
        {
            alive[i] = alive[i] && _chains[i].Specificity(condition, facts) == best;
        }

        return best >= 0;
    }
}

/// <summary>A chain with its conditions read.</summary>
internal sealed class CompiledChain
{
    internal const int ConditionCount = 5;

    private const int Exact = 1_000_000;

    private readonly (IpEndpoint Network, int Bits)[] _prefixes;

    internal CompiledChain(ChainPlan plan)
    {
        Plan = plan;
        Looks = LooksOf(plan.Match);
        _prefixes = new (IpEndpoint, int)[plan.Match.DestinationPrefixes.Count];
        for (var i = 0; i < _prefixes.Length; i++)
        {
            _prefixes[i] = ParsePrefix(plan.Match.DestinationPrefixes[i]);
        }
    }

    internal ChainPlan Plan { get; }

    /// <summary>What its conditions ask of the first bytes.</summary>
    internal Looks Looks { get; }

    /// <summary>-1: does not match; 0: matches because nothing is asked; above: the more the more specific.</summary>
    internal int Specificity(int condition, ConnectionFacts facts) => condition switch
    {
        0 => OfPort(facts),
        1 => OfAddress(facts),
        2 => OfServerName(facts),
        3 => OfTransport(facts),
        _ => OfProtocols(facts),
    };

    private static Looks LooksOf(ChainMatchPlan match)
    {
        var looks = match.TransportProtocol.Length > 0 || match.ServerNames.Count > 0 || match.ApplicationProtocols.Count > 0
            ? Looks.Tls
            : Looks.None;
        return match.TransportProtocol != "tls" && match.ApplicationProtocols.Count > 0 ? looks | Looks.Http : looks;
    }

    private int OfPort(ConnectionFacts facts) =>
        Plan.Match.DestinationPort == 0 ? 0 : Plan.Match.DestinationPort == facts.Destination.Port ? 1 : -1;

    private int OfAddress(ConnectionFacts facts)
    {
        if (_prefixes.Length == 0)
        {
            return 0;
        }

        var best = -1;
        foreach (var (network, bits) in _prefixes)
        {
            // All addresses are compared in their 128-bit form, where a version 4 prefix is 96 bits longer.
            var mask = bits == 0 ? UInt128.Zero : UInt128.MaxValue << (128 - bits);
            if ((network.Bits & mask) == (facts.Destination.Bits & mask))
            {
                best = Math.Max(best, bits + 1);
            }
        }

        return best;
    }

    private int OfServerName(ConnectionFacts facts)
    {
        if (Plan.Match.ServerNames.Count == 0)
        {
            return 0;
        }

        var best = -1;
        foreach (var name in Plan.Match.ServerNames)
        {
            if (name == facts.ServerName)
            {
                return Exact;
            }

            if (name.StartsWith("*.", StringComparison.Ordinal) &&
                facts.ServerName.Length >= name.Length &&
                facts.ServerName.EndsWith(name[1..], StringComparison.Ordinal))
            {
                best = Math.Max(best, name.Length);
            }
        }

        return best;
    }

    private int OfTransport(ConnectionFacts facts) => Plan.Match.TransportProtocol switch
    {
        "" => 0,
        "tls" => facts.IsTls ? 1 : -1,
        _ => facts.IsTls ? -1 : 1,
    };

    private int OfProtocols(ConnectionFacts facts)
    {
        if (Plan.Match.ApplicationProtocols.Count == 0)
        {
            return 0;
        }

        // The client's order decides among chains.
        for (var i = 0; i < facts.Protocols.Count; i++)
        {
            if (Plan.Match.ApplicationProtocols.AsSpan().Contains(facts.Protocols[i]))
            {
                return Exact - i;
            }
        }

        return -1;
    }

    private static (IpEndpoint Network, int Bits) ParsePrefix(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var address = slash < 0 ? text : text[..slash];
        if (!IpEndpoint.TryParse(address, 0, out var network))
        {
            throw new FormatException($"'{text}' is not an address prefix");
        }

        var width = network.IsV4 ? 32 : 128;
        var bits = width;
        if (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out bits) ||
            bits > width))
        {
            throw new FormatException($"'{text}' is not an address prefix");
        }

        return (network, bits + 128 - width);
    }
}
