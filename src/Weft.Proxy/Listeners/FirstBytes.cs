// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Tls;

namespace Weft.Proxy.Listeners;

/// <summary>Reads a connection's first bytes for the facts that chains are chosen by.</summary>
internal static class FirstBytes
{
    /// <summary>Null: more bytes are needed, unless <paramref name="problem"/> says why the connection is refused.</summary>
    internal static ConnectionFacts? Read(
        ReadOnlySpan<byte> bytes, Looks looks, Waiting waiting, ConnectionFacts known, out string? problem)
    {
        problem = null;
        if (bytes.IsEmpty)
        {
            return waiting == Waiting.GoesOn ? null : known;
        }

        if ((looks & Looks.Tls) != Looks.None)
        {
            switch (ClientHello.Inspect(bytes, out var hello, out problem))
            {
                case ClientHello.Verdict.Found:
                    return known with { IsTls = true, ServerName = hello!.ServerName, Protocols = hello.Protocols };
                case ClientHello.Verdict.NeedMore when waiting == Waiting.GoesOn:
                    return null;
                case ClientHello.Verdict.NeedMore:
                    // Half a hello must not turn TLS into plain bytes.
                    problem = "the ClientHello did not come to its end";
                    return null;
                case ClientHello.Verdict.Malformed:
                    return null;
                default:
                    break;
            }
        }

        if ((looks & Looks.Http) == Looks.None)
        {
            return known;
        }

        var protocols = HttpInspector.Inspect(bytes, waiting == Waiting.TimedOut);
        return protocols is not null ? known with { Protocols = protocols }
            : waiting == Waiting.GoesOn ? null
            : known;
    }
}

/// <summary>What must be known of a connection's first bytes before its chain can be chosen.</summary>
[Flags]
internal enum Looks
{
    None = 0,

    /// <summary>Whether it begins with a ClientHello, and what that says.</summary>
    Tls = 1,

    /// <summary>Whether it begins with HTTP.</summary>
    Http = 2,
}

/// <summary>Why no more bytes are waited for.</summary>
internal enum Waiting
{
    GoesOn,

    /// <summary>The client was silent for too long.</summary>
    TimedOut,

    /// <summary>The client has said all that it will say.</summary>
    Ended,
}
