// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;

namespace Weft.Proxy.Stacks;

/// <summary>The Date header's text, made at most once a second.</summary>
internal sealed class DateText(TimeProvider clock)
{
    private const int Length = 29;

    private readonly byte[] _text = new byte[Length];
    private long _second = -1;

    internal ReadOnlySpan<byte> Text
    {
        get
        {
            var now = clock.GetUtcNow();
            var second = now.UtcTicks / TimeSpan.TicksPerSecond;
            if (second != _second)
            {
                Span<char> chars = stackalloc char[Length];
                now.TryFormat(chars, out _, "R", CultureInfo.InvariantCulture);
                Encoding.ASCII.GetBytes(chars, _text);
                _second = second;
            }

            return _text;
        }
    }
}
