// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Proxy.Admin;

/// <summary>An answer of the admin server; <paramref name="Afterwards"/> runs once it is sent (to quit, for one).</summary>
internal sealed record AdminAnswer(int Status, string ContentType, byte[] Body, Action? Afterwards = null)
{
    public static AdminAnswer Text(string text, int status = 200) => new(status, "text/plain; charset=UTF-8", Encoding.UTF8.GetBytes(text));

    public static AdminAnswer Json(byte[] body) => new(200, "application/json", body);
}
