<?php
  $vars = array();
  $vars['external_url'] = 'http://www.google.com';
  $vars['login'] = 'YourApiLoginHere';
  $vars['pass'] = 'YourApiPasswordHere';

  $ch = curl_init();

  curl_setopt($ch, CURLOPT_URL, 'https://linktrack.info/api/v1_0/makeLink');
  curl_setopt($ch, CURLOPT_FOLLOWLOCATION, false);
  curl_setopt($ch, CURLOPT_POST, true);
  curl_setopt($ch, CURLOPT_POSTFIELDS,$vars);
  curl_setopt($ch, CURLOPT_VERBOSE, true);
  curl_setopt($ch, CURLOPT_SSL_VERIFYPEER, false);
  curl_setopt($ch, CURLOPT_SSL_VERIFYHOST, false);

  curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);

  $return_data = curl_exec($ch);
?>
