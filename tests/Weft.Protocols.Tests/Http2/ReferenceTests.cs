// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Protocols.Http2;
using Weft.Testing;
using Xunit;

namespace Weft.Protocols.Tests.Http2;

public sealed class ReferenceTests
{
    [Fact]
    public void The_reference_lists_every_limit_with_its_default()
    {
        var expected = typeof(Http2Limits).GetProperties()
            .Where(property => property.GetMethod is { IsStatic: false, IsPublic: true })
            .Select(property => (property.Name, Value: property.GetValue(Http2Limits.Default) switch
            {
                int number => number.ToString("N0", CultureInfo.InvariantCulture),
                _ => "off",
            }));
        var listed = File.ReadAllLines(RepositoryRoot.File("docs", "reference", "http2.md"))
            .SkipWhile(line => !line.StartsWith("| `", StringComparison.Ordinal))
            .TakeWhile(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => line.Split('|'))
            .Select(cells => (cells[1].Trim(' ', '`'), cells[2].Trim()));
        Assert.Equal(expected.Order(), listed.Order());
    }
}
