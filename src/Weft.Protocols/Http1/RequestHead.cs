// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http1;

/// <summary>A parsed request head.</summary>
public sealed class RequestHead : MessageHead
{
    public RequestHead() => Reset();

    public KnownMethod Method { get; internal set; }

    /// <summary>The method as sent.</summary>
    public TextRange MethodText { get; internal set; }

    public TargetForm Form { get; internal set; }

    /// <summary>The request target as sent.</summary>
    public TextRange Target { get; internal set; }

    /// <summary>The path without its query; empty where an absolute target has none, which means <c>/</c>.</summary>
    public TextRange Path { get; internal set; }

    /// <summary>The query without its question mark.</summary>
    public TextRange Query { get; internal set; }

    /// <summary>There is a question mark, perhaps with nothing behind it.</summary>
    public bool HasQuery { get; internal set; }

    /// <summary>
    /// Host and port that the request is for: from Host, or from the target if that has them. Empty only in HTTP/1.0.
    /// </summary>
    public TextRange Authority { get; internal set; }

    /// <summary>The client waits for <c>100 Continue</c> before it sends the body.</summary>
    public bool ExpectsContinue { get; internal set; }

    /// <summary>The path, <c>/</c> if the target has none; for CONNECT empty, for <c>*</c> that.</summary>
    public ReadOnlySpan<byte> PathOf(ReadOnlySpan<byte> buffer) =>
        Path.IsEmpty && Form == TargetForm.Absolute ? "/"u8 : Path.Of(buffer);

    /// <summary>Becomes equal to another head; its positions are those of the same bytes.</summary>
    public void CopyFrom(RequestHead other)
    {
        CopyMessage(other);
        Method = other.Method;
        MethodText = other.MethodText;
        Form = other.Form;
        Target = other.Target;
        Path = other.Path;
        Query = other.Query;
        HasQuery = other.HasQuery;
        Authority = other.Authority;
        ExpectsContinue = other.ExpectsContinue;
    }

    public override void Reset()
    {
        base.Reset();
        Method = KnownMethod.Other;
        MethodText = default;
        Form = TargetForm.Origin;
        Target = default;
        Path = default;
        Query = default;
        HasQuery = false;
        Authority = default;
        ExpectsContinue = false;
    }
}

/// <summary>Forms of a request target (RFC 9112 3.2).</summary>
public enum TargetForm : byte
{
    Origin,
    Absolute,
    Authority,
    Asterisk,
}
