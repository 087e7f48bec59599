// What tools/licences.ts makes while the app is built: the packages that are in it.
declare module 'virtual:licences' {
  const packages: { name: string; version: string; licence: string; text: string }[]
  export default packages
}
