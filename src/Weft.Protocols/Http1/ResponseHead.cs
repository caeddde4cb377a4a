// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http1;

/// <summary>A parsed response head.</summary>
public sealed class ResponseHead : MessageHead
{
    public ResponseHead() => Reset();

    /// <summary>100 to 599.</summary>
    public int Status { get; internal set; }

    /// <summary>The reason phrase; often empty.</summary>
    public TextRange Reason { get; internal set; }

    /// <summary>100, 102, 103 and so on: another head follows. 101 is final.</summary>
    public bool IsInterim => Status is < 200 and not 101;

    public override void Reset()
    {
        base.Reset();
        Status = 0;
        Reason = default;
    }
}
