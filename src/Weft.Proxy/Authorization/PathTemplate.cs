// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Proxy.Authorization;

/// <summary>
/// A path in which <c>{*}</c> is one segment that is not empty and <c>{**}</c> any characters. Text behind <c>{**}</c> must be the path's end.
/// </summary>
internal sealed class PathTemplate
{
    private const string Segment = "{*}";
    private const string Rest = "{**}";

    private readonly byte[][] _literals;
    private readonly byte[]? _tail;

    internal PathTemplate(string text)
    {
        var rest = text.IndexOf(Rest, StringComparison.Ordinal);
        _tail = rest < 0 ? null : Encoding.UTF8.GetBytes(text[(rest + Rest.Length)..]);
        _literals = [.. (rest < 0 ? text : text[..rest]).Split(Segment).Select(Encoding.UTF8.GetBytes)];
    }

    /// <summary>Every path that matches begins with this.</summary>
    internal byte[] Head => _literals[0];

    internal bool Matches(ReadOnlySpan<byte> path)
    {
        for (var i = 0; i < _literals.Length; i++)
        {
            if (i > 0)
            {
                var end = path.IndexOf((byte)'/');
                end = end < 0 ? path.Length : end;
                if (end == 0)
                {
                    return false;
                }

                path = path[end..];
            }

            if (!path.StartsWith(_literals[i]))
            {
                return false;
            }

            path = path[_literals[i].Length..];
        }

        return _tail is null ? path.IsEmpty : path.EndsWith(_tail);
    }
}
